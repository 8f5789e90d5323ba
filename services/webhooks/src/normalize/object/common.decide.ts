import type { OtherObject } from '@tidegate/contracts/events/stripe-event/other';
import { idOf, integer, type Json, metadataOf, record, text } from './read.decide.js';

/** What every object has, or could have. `fallbackId` is for objects without an id (a balance). */
export const commonOf = (source: Json, fallbackId: string): Omit<OtherObject, 'object' | 'charge' | 'amount' | 'currency'> => ({
  id: text(source['id']) ?? fallbackId,
  status: text(source['status']),
  created: integer(source['created']),
  payment_intent: idOf(source['payment_intent']),
  customer: idOf(source['customer']),
  metadata: metadataOf(source['metadata']),
});

/** Stripe's card details of a charge. */
export function cardOf(charge: unknown): { brand: string; last4: string } | null {
  const card = record(record(record(charge)?.['payment_method_details'])?.['card']);
  const brand = text(card?.['brand']);
  const last4 = text(card?.['last4']);
  return brand !== null && last4 !== null && /^\d{4}$/.test(last4) ? { brand, last4 } : null;
}
