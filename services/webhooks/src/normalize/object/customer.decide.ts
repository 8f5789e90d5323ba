import type { CustomerObject } from '@tidegate/contracts/events/stripe-event/customer';
import { commonOf } from './common.decide.js';
import { flag, idOf, type Json, record, text } from './read.decide.js';

export function normalizedCustomer(customer: Json, fallbackId: string): CustomerObject {
  const common = commonOf(customer, fallbackId);
  return {
    object: 'customer',
    ...common,
    customer: common.id,
    deleted: customer['deleted'] === true,
    currency: text(customer['currency']),
    delinquent: flag(customer['delinquent']),
    default_payment_method: idOf(record(customer['invoice_settings'])?.['default_payment_method']),
  };
}
