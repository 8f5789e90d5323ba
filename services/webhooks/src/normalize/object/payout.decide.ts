import type { PayoutObject } from '@tidegate/contracts/events/stripe-event/payout';
import { commonOf } from './common.decide.js';
import { idOf, integer, type Json, text, words } from './read.decide.js';

export function normalizedPayout(payout: Json, fallbackId: string): PayoutObject {
  const code = text(payout['failure_code']);
  return {
    object: 'payout',
    ...commonOf(payout, fallbackId),
    amount: integer(payout['amount']),
    currency: text(payout['currency']),
    automatic: payout['automatic'] === true,
    method: text(payout['method']),
    arrival_date: integer(payout['arrival_date']),
    balance_transaction: idOf(payout['balance_transaction']),
    reconciliation_status: text(payout['reconciliation_status']),
    failure: code === null ? null : { code, decline_code: null, message: words(payout['failure_message']) },
  };
}
