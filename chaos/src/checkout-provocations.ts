import type { CheckoutView } from '@tidegate/contracts/responses';
import { checkoutIdOf } from '@tidegate/payments/idempotency/identity';
import { eventually } from '@tidegate/test-harness/eventually';
import { type Arena } from './arena.js';
import { comeBack, openCheckout, PAST_THE_WINDOW_SECONDS, payOnPage } from './checkout-story.js';
import { type Provocation, story } from './provocation.js';
import { type Random, randomFrom } from './seed.js';
import { type StoryLog, type Telling } from './step.js';

const CREATE = 'POST /v1/checkout/sessions';
const EXPIRE = 'POST /v1/checkout/sessions/:id/expire';

/** What must happen before these failpoints of a checkout are reached. */
export const CHECKOUT_PROVOCATIONS: readonly [RegExp, Provocation][] = [
  [/^payments\.checkout\.refused\./, expireWhatIsPaid],
  [/^payments\.checkout\.(lookup|looked_up)\./, story('checkout:expired', { fault: 'reset_after', route: EXPIRE })],
  [/^payments\.checkout\.lookup_list\./, story('checkout:left', { fault: 'reset_after', route: CREATE })],
  [/^payments\.checkout\.submitted\./, letTheWindowEnd],
  [/^payments\.checkout\.payment_adopted\./, comeBackBeforeTheNews],
  [/^payments\.checkout\.late_refunded\./, payLate],
  [/^payments\.checkout\.late_refund_failed\./, payLateInVain],
  [/^payments\.parked\./, newsOfALostCheckout],
];

const telling = (arena: Arena, random: Random, log: StoryLog): Telling => ({
  stage: arena,
  random: randomFrom(random.below(2 ** 31)),
  log,
  twice: 0,
});

/** Somebody expires a page that is paid, as we know. */
async function expireWhatIsPaid(arena: Arena, random: Random, log: StoryLog): Promise<void> {
  const teller = telling(arena, random, log);
  const checkout = await openCheckout(teller);
  if (!checkout) return;
  await payOnPage(teller, checkout, 'pm_card_visa');
  await comeBack(teller, checkout);
  const path = `/v1/checkout-sessions/${checkout.id}/expire`;
  await eventually(
    async () => {
      const { status } = await arena.client.get<CheckoutView>(`/v1/checkout-sessions/${checkout.id}`);
      if (status === 'open') throw new Error('Not known to be paid yet');
    },
    { timeoutMs: 20_000, everyMs: 100 },
  );
  await arena.client.send({ method: 'POST', path, body: {}, key: `expire-${checkout.id}` });
}

async function letTheWindowEnd(arena: Arena, random: Random, log: StoryLog): Promise<void> {
  if (await openCheckout(telling(arena, random, log))) await arena.advance(PAST_THE_WINDOW_SECONDS);
}

/** The payer's browser is faster than Stripe's news. */
async function comeBackBeforeTheNews(arena: Arena, random: Random, log: StoryLog): Promise<void> {
  const teller = telling(arena, random, log);
  const checkout = await openCheckout(teller);
  if (!checkout) return;
  await arena.fault({ fault: 'webhook_delay', ms: 3_000, times: 8 });
  await payOnPage(teller, checkout, 'pm_card_visa');
  await comeBack(teller, checkout);
}

/** The window is over, but Stripe does not hear us close the page; somebody pays there. By LATE_SUCCESS_POLICY=refund it is given back. */
async function payLate(arena: Arena, random: Random, log: StoryLog): Promise<void> {
  const teller = telling(arena, random, log);
  const checkout = await openCheckout(teller);
  if (!checkout) return;
  await arena.fault({ fault: 'refuse', route: EXPIRE, times: 4 });
  await arena.advance(PAST_THE_WINDOW_SECONDS);
  await payOnPage(teller, checkout, 'pm_card_visa');
}

/** What is given back comes back a moment later, and is given back once more. */
async function payLateInVain(arena: Arena, random: Random, log: StoryLog): Promise<void> {
  await arena.fault({ fault: 'late_failure', route: 'POST /v1/refunds', ms: 1_000, times: 1 });
  await payLate(arena, random, log);
}

/** Stripe tells of a page whose checkout a restore of the database has lost; then its request is repeated. */
async function newsOfALostCheckout(arena: Arena, random: Random): Promise<void> {
  const key = `lost-${random.below(2 ** 31)}`;
  const id = checkoutIdOf({ tenant: 'default', route: 'POST /v1/checkout-sessions', key });
  const page = await arena.atStripe('/v1/checkout/sessions', {
    mode: 'payment',
    success_url: 'https://shop.example/done',
    'line_items[0][quantity]': '1',
    'line_items[0][price_data][currency]': 'usd',
    'line_items[0][price_data][unit_amount]': '4200',
    'line_items[0][price_data][product_data][name]': 'Vase',
    'metadata[checkout_id]': id,
    'metadata[tenant_id]': 'default',
  });
  await arena.atStripe(`/v1/checkout/sessions/${page.id}/expire`, {});
  await eventually(async () => {
    if ((await arena.sql('SELECT FROM payments.parked_news WHERE parent = $1', [id])).length === 0) throw new Error('Not told yet');
  });
  await arena.client.send({
    method: 'POST',
    path: '/v1/checkout-sessions',
    key,
    body: {
      line_items: [{ name: 'Vase', quantity: 1, unit_amount: 4200 }],
      currency: 'usd',
      success_url: 'https://shop.example/done',
      cancel_url: 'https://shop.example/back',
    },
  });
}
