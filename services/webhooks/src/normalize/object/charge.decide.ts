import type { ChargeObject } from '@tidegate/contracts/events/stripe-event/charge';
import { cardOf, commonOf } from './common.decide.js';
import { flag, idOf, integer, type Json, record, text, words } from './read.decide.js';

export function normalizedCharge(charge: Json, fallbackId: string): ChargeObject {
  const code = text(charge['failure_code']);
  const common = commonOf(charge, fallbackId);
  return {
    object: 'charge',
    ...common,
    charge: common.id,
    amount: integer(charge['amount']),
    amount_captured: integer(charge['amount_captured']),
    amount_refunded: integer(charge['amount_refunded']),
    currency: text(charge['currency']),
    captured: flag(charge['captured']),
    disputed: flag(charge['disputed']),
    balance_transaction: idOf(charge['balance_transaction']),
    failure:
      code === null ? null : { code, decline_code: text(record(charge['outcome'])?.['reason']), message: words(charge['failure_message']) },
    card: cardOf(charge),
  };
}
