import { AUTOMATIC, type Cause } from '../http/call.js';
import { StripeError } from '../http/errors.js';
import { confirmIntent } from '../payment-intents/confirm.js';
import { type World } from '../world.js';
import { failInvoice } from './fail.js';
import { type Invoice, subscriptionOf } from './invoice.js';
import { intentOf } from './payment.js';

/** Charges an open invoice with a method. Throws 402 when that declines, after the state has changed. */
export function chargeInvoice(
  world: World,
  invoice: Invoice,
  method: string,
  cause: Cause,
  off_session = cause.collection === true,
): Invoice {
  const intent = intentOf(world, invoice);
  if (intent === undefined) throw new Error(`Bug: ${invoice.id} is open without an intent`);
  confirmIntent(world, intent, { payment_method: method, ...(off_session && { off_session }) }, cause);
  return world.invoices.get(invoice.id) ?? invoice;
}

/**
 * An attempt that Stripe makes by itself, the customer being absent: a failure is an event, not an error. `by` is the request whose
 * change is billed at once, if there is one.
 */
export function collectAutomatically(world: World, invoice: Invoice, by: Cause = AUTOMATIC): Invoice {
  const cause: Cause = { ...by, collection: true };
  const method = methodFor(world, invoice);
  if (method === undefined) return failInvoice(world, invoice, cause);
  try {
    return chargeInvoice(world, invoice, method, cause);
  } catch (error) {
    if (!(error instanceof StripeError)) throw error;
    return world.invoices.get(invoice.id) ?? invoice;
  }
}

/** Invoice, then subscription, then customer: who names a default payment method first. */
export function methodFor(world: World, invoice: Invoice): string | undefined {
  const subscription = world.subscriptions.get(subscriptionOf(invoice) ?? '');
  const customer = world.customers.get(invoice.customer);
  return (
    invoice.default_payment_method ?? subscription?.default_payment_method ?? customer?.invoice_settings.default_payment_method ?? undefined
  );
}
