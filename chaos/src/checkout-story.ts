import type { CheckoutView } from '@tidegate/contracts/responses';
import type { Answer } from './client.js';
import { step, type Telling } from './step.js';

/** What becomes of a checkout that was opened. */
const ENDS = ['paid', 'paid', 'declined', 'two_tabs', 'expired', 'extended', 'left'] as const;
export type CheckoutEnd = (typeof ENDS)[number];

/** The shortest window that is taken, and a jump of the clock that ends it. */
const WINDOW_HOURS = 0.5;
export const PAST_THE_WINDOW_SECONDS = 1_860;

/** One checkout as a shop and its payer live it: opened, paid on Stripe's page, declined there, paid in two tabs, expired, extended, or left alone. */
export async function tellCheckout(telling: Telling, end: CheckoutEnd = telling.random.pick(ENDS)): Promise<void> {
  const { random } = telling;
  const opened = await openCheckout(telling);
  if (!opened) return;
  switch (end) {
    case 'paid':
      await payOnPage(telling, opened, 'pm_card_visa');
      return comeBack(telling, opened);
    case 'declined':
      await payOnPage(telling, opened, 'pm_card_chargeDeclined');
      if (random.chance(0.5)) await payOnPage(telling, opened, 'pm_card_visa');
      return;
    case 'two_tabs':
      await Promise.all([payOnPage(telling, opened, 'pm_card_visa'), payOnPage(telling, opened, 'pm_card_mastercard')]);
      return comeBack(telling, opened);
    case 'expired':
      // The payer may be faster.
      await Promise.all([
        step(telling, { method: 'POST', path: `/v1/checkout-sessions/${opened.id}/expire`, body: {} }),
        ...(random.chance(0.3) ? [payOnPage(telling, opened, 'pm_card_visa')] : []),
      ]);
      return;
    case 'extended':
      return extend(telling, opened);
    case 'left':
      return;
    default:
      return end satisfies never;
  }
}

/** A fresh page; the payer pays there, after trying it in the old tab. */
async function extend(telling: Telling, opened: CheckoutView): Promise<void> {
  const path = `/v1/checkout-sessions/${opened.id}/window`;
  const extended = viewOf(await step(telling, { method: 'POST', path, body: { action: 'extend', reason: 'chaos: the payer asked' } }));
  await payOnPage(telling, opened, 'pm_card_visa');
  if (extended?.status === 'open') await payOnPage(telling, extended, 'pm_card_visa');
}

/** A checkout whose page can be paid; null when it was not opened. */
export async function openCheckout(telling: Telling): Promise<CheckoutView | null> {
  const body = orderOf(telling.random.below(50_000));
  const opened = viewOf(await step(telling, { method: 'POST', path: '/v1/checkout-sessions', body }));
  return opened?.status === 'open' ? opened : null;
}

const orderOf = (cents: number) => ({
  line_items: [{ name: 'Lantern', quantity: 2, unit_amount: 500 + cents }],
  currency: 'eur',
  success_url: 'https://shop.example/thanks?session={CHECKOUT_SESSION_ID}',
  cancel_url: 'https://shop.example/cart',
  window_hours: WINDOW_HOURS,
});

const viewOf = (answer: Answer | null): CheckoutView | null =>
  answer !== null && answer.status >= 200 && answer.status < 300 ? (JSON.parse(answer.body) as CheckoutView) : null;

/** What Stripe's page refuses is the payer's affair: a card that is declined, a page that is closed. */
export async function payOnPage({ stage }: Telling, { stripe_checkout_session }: CheckoutView, payment_method: string): Promise<void> {
  if (stripe_checkout_session === null) return;
  await stage.dashboard('pay_checkout', { session: stripe_checkout_session, payment_method }).catch(() => undefined);
}

/** The payer's browser comes back to the shop, which looks: it may be faster than Stripe's news. */
export async function comeBack({ stage, log }: Telling, { id }: CheckoutView): Promise<void> {
  const seen = viewOf(await stage.client.send({ method: 'GET', path: `/v1/checkout-sessions/${id}` }));
  if (seen?.payment) log.created.push(seen.payment);
}
