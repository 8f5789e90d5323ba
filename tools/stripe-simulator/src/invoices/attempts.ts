import { type Cause } from '../http/call.js';
import { type World } from '../world.js';
import { type Invoice } from './invoice.js';

/**
 * The first attempt counts whoever makes it; afterwards only automatic retries do (`attempt_count` in the API reference).
 */
export function countedAttempts(invoice: Invoice, cause: Cause): number {
  return cause.collection ? invoice.attempt_count + 1 : Math.max(invoice.attempt_count, 1);
}

/**
 * When a failed invoice is tried again, or null. A manual attempt in between leaves the plan as it is. The first invoice of a
 * subscription is not retried: the subscription stays incomplete until somebody pays it.
 */
export function nextAttempt(world: World, invoice: Invoice, cause: Cause): number | null {
  if (!isRetried(invoice)) return null;
  if (!cause.collection && invoice.next_payment_attempt !== null) return invoice.next_payment_attempt;
  const wait = world.settings.invoiceRetrySeconds[countedAttempts(invoice, cause) - 1];
  return wait === undefined ? null : world.clock.nowSeconds() + wait;
}

export function isRetried({ auto_advance: advances, billing_reason: reason, collection_method: method }: Invoice): boolean {
  return advances && method === 'charge_automatically' && reason !== 'subscription_create';
}
