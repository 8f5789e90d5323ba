import { AUTOMATIC, type Cause } from '../http/call.js';
import { subscriptionOf } from '../invoices/invoice.js';
import { type InvoiceChange } from '../invoices/invoice-changes.js';
import { intentOf } from '../invoices/payment.js';
import { type World } from '../world.js';
import { changeSubscription } from './change.js';
import { countUsage } from './count-usage.js';
import { endSubscription } from './end.js';
import { type Subscription } from './subscription.js';

/** What a subscription does when one of its own invoices is paid or cannot be collected. */
export function followInvoice(world: World, change: InvoiceChange, cause: Cause): void {
  const { invoice, kind } = change;
  const subscription = world.subscriptions.get(subscriptionOf(invoice) ?? '');
  if (kind === 'finalizing' && subscription !== undefined) return countUsage(world, subscription, invoice);
  if (subscription === undefined || subscription.ended_at !== null || invoice.billing_reason === 'manual') return;
  if (kind === 'paid') return paid(world, subscription, change, cause);
  if (kind === 'payment_failed' && ['active', 'trialing'].includes(subscription.status)) {
    changeSubscription(world, subscription, { status: 'past_due' }, cause);
  }
  if (kind === 'retries_exhausted') giveUp(world, subscription);
}

const CURED_BY_PAYMENT = ['incomplete', 'past_due', 'unpaid', 'paused'];

function paid(world: World, subscription: Subscription, { invoice }: InvoiceChange, cause: Cause): void {
  const { save_default_payment_method: save } = subscription.payment_settings as { save_default_payment_method?: string };
  const method = save === 'on_subscription' ? (intentOf(world, invoice)?.payment_method ?? undefined) : undefined;
  const cured = invoice.id === subscription.latest_invoice && CURED_BY_PAYMENT.includes(subscription.status);
  const changes = { ...(cured && { status: 'active' as const }), ...(method !== undefined && { default_payment_method: method }) };
  const after = changeSubscription(world, subscription, changes, cause);
  if (subscription.status === 'paused' && cured) world.events.emit('customer.subscription.resumed', after, cause);
}

/** After the last retry the account's setting decides (`afterLastRetry`). */
function giveUp(world: World, subscription: Subscription): void {
  const { afterLastRetry } = world.settings;
  if (afterLastRetry === 'cancel') endSubscription(world, subscription, { reason: 'payment_failed' }, AUTOMATIC);
  if (afterLastRetry === 'unpaid') changeSubscription(world, subscription, { status: 'unpaid' }, AUTOMATIC);
}
