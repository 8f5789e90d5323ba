import { type Charge } from '../charges/charge.js';
import { checkoutPage } from '../checkout/page.js';
import { type Answer } from '../http/answer.js';
import { formatAmount } from '../money/currencies.js';
import { completeAuthentication } from '../payment-intents/authentication.js';
import { type PaymentIntent } from '../payment-intents/payment-intent.js';
import { type World } from '../world.js';
import { html } from './html.js';

/** The pages that links in objects lead to: a receipt, the bank's authentication step, the hosted Checkout page. */
export function pageFor(world: World, url: URL, method: string, form: string): Answer | undefined {
  const [, kind, id = '', step] = url.pathname.split('/');
  if (kind === '__checkout') {
    const session = world.checkoutSessions.get(id);
    return session && checkoutPage(world, session, { method, back: step === 'return', form });
  }
  if (kind === '__receipts') {
    const charge = world.charges.get(id);
    return charge === undefined ? undefined : receipt(charge);
  }
  if (kind === '__3ds') {
    const intent = world.paymentIntents.get(id);
    return intent?.status === 'requires_action' ? authentication(world, intent, url.searchParams.get('outcome')) : undefined;
  }
  return undefined;
}

function receipt(charge: Charge): Answer {
  const refunded = charge.amount_refunded === 0 ? '' : `<p>Refunded: ${formatAmount(charge.amount_refunded, charge.currency)}</p>`;
  return html(`<h1>Receipt</h1><p>${charge.id}</p><p>Paid: ${formatAmount(charge.amount_captured, charge.currency)}</p>${refunded}`);
}

function authentication(world: World, intent: PaymentIntent, outcome: string | null): Answer {
  if (outcome === null) {
    return html(
      `<h1>Authenticate ${formatAmount(intent.amount, intent.currency)}</h1><p><a href="?outcome=succeed">Complete</a></p><p><a href="?outcome=fail">Fail</a></p>`,
    );
  }
  const passed = outcome !== 'fail';
  const cause = { requestId: null, idempotencyKey: null, silent: false };
  const after = completeAuthentication(world, intent, passed, cause);
  const back = (intent.next_action as { redirect_to_url?: { return_url: string } }).redirect_to_url?.return_url;
  if (back === undefined) return html(`<h1>${after.status}</h1>`);
  const target = new URL(back);
  target.searchParams.set('payment_intent', intent.id);
  target.searchParams.set('payment_intent_client_secret', intent.client_secret);
  target.searchParams.set('redirect_status', passed ? 'succeeded' : 'failed');
  return { status: 303, headers: { Location: target.href }, body: '' };
}
