import type { RefundObject } from '@tidegate/contracts/events/stripe-event/refund';
import { commonOf } from './common.decide.js';
import { idOf, integer, type Json, text } from './read.decide.js';

export function normalizedRefund(refund: Json, fallbackId: string): RefundObject {
  const reason = text(refund['failure_reason']);
  return {
    object: 'refund',
    ...commonOf(refund, fallbackId),
    charge: idOf(refund['charge']),
    amount: integer(refund['amount']),
    currency: text(refund['currency']),
    reason: text(refund['reason']),
    balance_transaction: idOf(refund['balance_transaction']),
    failure: reason === null ? null : { code: reason, decline_code: null, message: reason },
  };
}
