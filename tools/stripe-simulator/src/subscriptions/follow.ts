import { AUTOMATIC, type Cause } from '../http/call.js';
import { type Invoice, subscriptionOf } from '../invoices/invoice.js';
import { type InvoiceChange } from '../invoices/invoice-changes.js';
import { intentOf } from '../invoices/payment.js';
import { type World } from '../world.js';
import { changeSubscription } from './change.js';
import { countUsage } from './count-usage.js';
import { endSubscription, expireIncomplete } from './end.js';
import { standingWithoutLatest } from './standing.js';
import { type Subscription } from './subscription.js';

/** What a subscription does when one of its own invoices is paid, cannot be collected or is given up. */
export function followInvoice(world: World, change: InvoiceChange, cause: Cause): void {
  const { invoice, kind } = change;
  const subscription = world.subscriptions.get(subscriptionOf(invoice) ?? '');
  if (kind === 'finalizing' && subscription !== undefined) return countUsage(world, subscription, invoice);
  if (subscription === undefined || subscription.ended_at !== null || invoice.billing_reason === 'manual') return;
  if (kind === 'paid') return paid(world, subscription, change, cause);
  if ((kind === 'payment_failed' || kind === 'overdue') && ['active', 'trialing'].includes(subscription.status)) {
    changeSubscription(world, subscription, { status: 'past_due' }, cause);
  }
  if (kind === 'retries_exhausted' && subscription.status !== 'paused') giveUp(world, subscription, AUTOMATIC);
  if (kind === 'uncollectible' && isCuredBy(subscription, invoice, CURED_BY_FORGIVING)) cure(world, subscription, {}, cause);
  if (kind === 'voided' && invoice.id === subscription.latest_invoice) forget(world, subscription, cause);
}

const CURED_BY_PAYMENT = ['incomplete', 'past_due', 'unpaid', 'paused'];
/** Marking the latest invoice as uncollectible makes a `past_due` subscription active, and resumes a paused one. */
const CURED_BY_FORGIVING = ['past_due', 'unpaid', 'paused'];

function isCuredBy({ latest_invoice: latest, status }: Subscription, invoice: Invoice, from: readonly string[]): boolean {
  return invoice.id === latest && from.includes(status);
}

function paid(world: World, subscription: Subscription, { invoice }: InvoiceChange, cause: Cause): void {
  const { save_default_payment_method: save } = subscription.payment_settings as { save_default_payment_method?: string };
  const method = save === 'on_subscription' ? (intentOf(world, invoice)?.payment_method ?? undefined) : undefined;
  const saved = method === undefined ? {} : { default_payment_method: method };
  if (isCuredBy(subscription, invoice, CURED_BY_PAYMENT)) cure(world, subscription, saved, cause);
  else changeSubscription(world, subscription, saved, cause);
}

function cure(world: World, subscription: Subscription, changes: Partial<Subscription>, cause: Cause): void {
  const after = changeSubscription(world, subscription, { ...changes, status: 'active' }, cause);
  if (subscription.status === 'paused') world.events.emit('customer.subscription.resumed', after, cause);
}

/** The latest invoice was made void. A paused subscription stays so: it can be resumed again. */
function forget(world: World, subscription: Subscription, cause: Cause): void {
  if (subscription.status === 'incomplete') expireIncomplete(world, subscription, cause);
  if (!['active', 'past_due', 'unpaid'].includes(subscription.status)) return;
  const standing = standingWithoutLatest(world, subscription);
  if (standing === 'given_up') giveUp(world, subscription, cause);
  else changeSubscription(world, subscription, { status: standing }, cause);
}

/** After the last retry the account's setting decides (`afterLastRetry`). */
function giveUp(world: World, subscription: Subscription, cause: Cause): void {
  const { afterLastRetry } = world.settings;
  if (afterLastRetry === 'cancel') endSubscription(world, subscription, { reason: 'payment_failed' }, cause);
  else changeSubscription(world, subscription, { status: afterLastRetry }, cause);
}
