import { escaped, html, redirect } from '../control/html.js';
import { type Answer } from '../http/answer.js';
import { type Cause } from '../http/call.js';
import { StripeError } from '../http/errors.js';
import { intentOf } from '../invoices/payment.js';
import { formatAmount } from '../money/currencies.js';
import { type World } from '../world.js';
import { orderOf } from './find.js';
import { paySession } from './pay.js';
import { type CheckoutItem, type CheckoutSession } from './session.js';

/** What the customer may try, by the payment method that stands for it. */
const CHOICES: readonly (readonly [id: string, label: string])[] = [
  ['pm_card_visa', 'Card that succeeds'],
  ['pm_card_chargeDeclined', 'Card that is declined'],
  ['pm_card_chargeDeclinedInsufficientFunds', 'Card without funds'],
  ['pm_card_threeDSecure2Required', 'Card that asks for authentication'],
  ['pm_usBankAccount_success', 'Bank debit that succeeds later'],
  ['pm_usBankAccount_insufficientFunds', 'Bank debit that fails later'],
];

/**
 * The page at a session's `url`: plain HTML that a browser can pay or leave. `POST` pays and redirects to `success_url`, to the bank's
 * page, or shows why it failed. `GET …/return` is where the bank sends the customer back to.
 */
export function checkoutPage(world: World, session: CheckoutSession, request: { method: string; back: boolean; form: string }): Answer {
  if (request.back && session.status === 'open') return redirect(session.url ?? '/');
  if (request.back && session.status === 'complete') return redirect(successUrl(session));
  if (session.status !== 'open' || session.url === null) return over(session);
  if (request.method !== 'POST') return payForm(world, session);
  const typed = Object.fromEntries([...new URLSearchParams(request.form)].filter(([, value]) => value !== ''));
  const cause: Cause = { requestId: world.ids.next('req'), idempotencyKey: null, silent: false };
  try {
    const paid = paySession(world, session.id, typed, cause);
    return redirect(paid.status === 'complete' ? successUrl(paid) : bankPage(world, paid));
  } catch (error) {
    if (!(error instanceof StripeError)) throw error;
    return payForm(world, session, error);
  }
}

function successUrl(session: CheckoutSession): string {
  return (session.success_url ?? session.return_url ?? '/').replaceAll('{CHECKOUT_SESSION_ID}', session.id);
}

function bankPage(world: World, session: CheckoutSession): string {
  const invoice = world.invoices.get(session.invoice ?? '');
  const intent =
    (invoice && intentOf(world, invoice)) ??
    world.paymentIntents.get(session.payment_intent ?? '') ??
    world.setupIntents.get(session.setup_intent ?? '');
  const action = intent?.next_action as { redirect_to_url?: { url: string } } | null | undefined;
  return action?.redirect_to_url?.url ?? session.url ?? '/';
}

function over(session: CheckoutSession): Answer {
  const words = session.status === 'complete' ? 'This Checkout Session is complete.' : 'This Checkout Session has expired.';
  return html(`<h1>${words}</h1><p data-session="${session.id}">${session.id}</p>`);
}

function payForm(world: World, session: CheckoutSession, error?: StripeError): Answer {
  const { items } = orderOf(world, session);
  const total = session.currency === null ? '' : formatAmount(session.amount_total ?? 0, session.currency);
  const options = CHOICES.map(([id, label]) => `<option value="${id}">${label}</option>`).join('');
  const email = session.customer_email ?? '';
  const cancel = session.cancel_url === null ? '' : `<p><a id="cancel" href="${escaped(session.cancel_url)}">Back</a></p>`;
  const alert = error === undefined ? '' : `<p role="alert">${escaped(error.message)}</p>`;
  return html(
    `<h1>Pay ${total}</h1>${alert}<ul>${items.map(row).join('')}</ul>
<form method="post" action="/__checkout/${session.id}">
<p><label>Email <input name="email" type="email" value="${escaped(email)}"></label></p>
<p><label>Name <input name="name"></label></p>
<p><label>Pay with <select name="payment_method">${options}</select></label></p>
<p><button id="pay" type="submit">Pay</button></p></form>${cancel}`,
    error?.status ?? 200,
  );
}

function row(item: CheckoutItem): string {
  const quantity = item.quantity === null ? '' : `${item.quantity} × `;
  return `<li>${quantity}${escaped(item.description ?? '')}: ${formatAmount(item.amount_total, item.currency)}</li>`;
}
