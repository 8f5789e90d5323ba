import { type Cause } from '../http/call.js';
import { StripeError, refused } from '../http/errors.js';
import { addInvoiceItem } from '../invoice-items/create.js';
import { type Invoice, subscriptionOf } from '../invoices/invoice.js';
import { type InvoiceChange } from '../invoices/invoice-changes.js';
import { pricingOf } from '../invoices/lines.js';
import { intentOf } from '../invoices/payment.js';
import { confirmIntent } from '../payment-intents/confirm.js';
import { attachMethod, mustBeSavable } from '../payment-methods/attach.js';
import { type PaymentMethod } from '../payment-methods/payment-method.js';
import { usablePaymentMethod } from '../payment-methods/use.js';
import { changeSubscription } from '../subscriptions/change.js';
import { announce, firstInvoice, readSubscription } from '../subscriptions/create.js';
import { subscriptionById } from '../subscriptions/find.js';
import { type Subscription } from '../subscriptions/subscription.js';
import { type World } from '../world.js';
import { completeSession } from './complete.js';
import { orderOf, sessionById } from './find.js';
import { payUrl } from './new-session.js';
import { type CheckoutItem, type CheckoutSession } from './session.js';

/** A trial whose method need not be collected (`payment_method_collection=if_required`). */
export function paysNothingNow(world: World, session: CheckoutSession): boolean {
  const { trial_period_days: days, trial_end: end } = orderOf(world, session).subscriptionData;
  return (
    session.mode === 'subscription' && session.payment_method_collection === 'if_required' && (days !== undefined || end !== undefined)
  );
}

/** The method that is to pay a subscription. Throws 402 for one that can't be saved and 400 for a bank account, before anything is made. */
export function methodForPlan(world: World, session: CheckoutSession, asked: string): PaymentMethod {
  const method = usablePaymentMethod(world, asked, session.customer ?? undefined);
  if (method.type !== 'card') {
    throw refused('This simulator pays subscriptions of Checkout by card only (Stripe does more).', undefined, { param: 'payment_method' });
  }
  mustBeSavable(method);
  return method;
}

/**
 * Subscription mode: the method is saved to the customer and pays the first invoice. After a decline the subscription stays
 * incomplete, and the next attempt pays the same invoice.
 */
export function paySubscription(world: World, session: CheckoutSession, method: PaymentMethod, cause: Cause): void {
  attachMethod(world, method, session.customer ?? '', cause);
  if (session.subscription === null) {
    startSubscription(world, session, method.id, cause);
    return;
  }
  const subscription = subscriptionById(world, session.subscription);
  changeSubscription(world, subscription, { default_payment_method: method.id }, cause);
  const invoice = world.invoices.get(subscription.latest_invoice ?? '');
  if (invoice !== undefined) charge(world, session, invoice, method.id, cause);
}

/** The subscription of a session, with its first invoice paid or not; a decline is thrown after both are stored. */
export function startSubscription(world: World, session: CheckoutSession, method: string | undefined, cause: Cause): CheckoutSession {
  const { items, subscriptionData } = orderOf(world, session);
  const recurring = items.filter(({ price }) => price.recurring !== null);
  const draft = readSubscription(
    world,
    { ...subscriptionData, customer: session.customer, ...(method !== undefined && { default_payment_method: method }) },
    recurring.map(({ price, quantity, metadata }) => ({ price, quantity: quantity ?? undefined, metadata })),
  );
  for (const item of items) if (item.price.recurring === null) billOnce(world, draft, item, cause);
  const trial = draft.trial_end !== null;
  const first = firstInvoice(world, draft, trial, cause);
  const failure = first.status === 'open' ? attempt(() => charge(world, session, first, method ?? '', cause)) : undefined;
  const invoice = world.invoices.get(first.id) ?? first;
  const status = trial ? 'trialing' : invoice.status === 'paid' ? 'active' : 'incomplete';
  announce(world, { ...draft, status, latest_invoice: invoice.id }, cause);
  const known = world.checkoutSessions.replace({ ...sessionById(world, session.id), subscription: draft.id, invoice: invoice.id });
  if (failure !== undefined) throw failure;
  if (status === 'incomplete') return known;
  return completeSession(world, known, trial && invoice.total === 0 ? 'no_payment_required' : 'paid', cause);
}

/** The first invoice of an incomplete subscription was paid after all. */
export function followFirstInvoice(world: World, { kind, invoice }: InvoiceChange, cause: Cause): void {
  const subscription = subscriptionOf(invoice);
  if (kind !== 'paid' || subscription === undefined) return;
  const session = world.checkoutSessions.by('subscription', subscription).find(({ status }) => status === 'open');
  if (session?.invoice === invoice.id) completeSession(world, session, 'paid', cause);
}

function charge(world: World, session: CheckoutSession, invoice: Invoice, method: string, cause: Cause): void {
  const intent = intentOf(world, invoice);
  if (intent === undefined) throw new Error(`Bug: ${invoice.id} is open without an intent`);
  confirmIntent(world, intent, { payment_method: method, return_url: `${payUrl(world, session.id)}/return` }, cause);
}

function attempt(step: () => void): StripeError | undefined {
  try {
    step();
    return undefined;
  } catch (error) {
    if (error instanceof StripeError) return error;
    throw error;
  }
}

/** One-time prices are on the first invoice only. */
function billOnce(world: World, draft: Subscription, item: CheckoutItem, cause: Cause): void {
  const now = world.clock.nowSeconds();
  addInvoiceItem(
    world,
    {
      amount: item.amount_total,
      currency: item.currency,
      customer: draft.customer,
      description: item.description,
      invoice: null,
      metadata: item.metadata,
      period: { start: now, end: now },
      pricing: pricingOf(item.price),
      proration: false,
      quantity: item.quantity ?? 1,
      subscription: draft.id,
    },
    cause,
  );
}
