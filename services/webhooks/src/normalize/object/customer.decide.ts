import type { CustomerObject } from '@tidegate/contracts/events/stripe-event/customer';
import { RESERVED_METADATA_KEYS } from '@tidegate/contracts/requests';
import { commonOf } from './common.decide.js';
import { flag, idOf, type Json, record, text } from './read.decide.js';

export function normalizedCustomer(customer: Json, fallbackId: string): CustomerObject {
  const common = commonOf(customer, fallbackId);
  return {
    object: 'customer',
    ...common,
    customer: common.id,
    metadata: ownMetadata(common.metadata),
    deleted: customer['deleted'] === true,
    currency: text(customer['currency']),
    delinquent: flag(customer['delinquent']),
    default_payment_method: idOf(record(customer['invoice_settings'])?.['default_payment_method']),
  };
}

/** What others write on a customer may be about the person, and events are never erased. */
const ownMetadata = (metadata: Record<string, string>): Record<string, string> =>
  Object.fromEntries(RESERVED_METADATA_KEYS.flatMap((key) => (metadata[key] === undefined ? [] : [[key, metadata[key]]])));
