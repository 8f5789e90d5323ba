import type { DisputeObject } from '@tidegate/contracts/events/stripe-event/dispute';
import { commonOf } from './common.decide.js';
import { idOf, integer, type Json, record, recordsOf, text } from './read.decide.js';

/** Balance transactions of a dispute: a negative amount was withdrawn, a positive one came back. https://docs.stripe.com/api/disputes/object */
export function normalizedDispute(dispute: Json, fallbackId: string): DisputeObject {
  const movements = recordsOf(dispute['balance_transactions']);
  const total = (take: (movement: Json) => number) => movements.reduce((sum, movement) => sum + take(movement), 0);
  return {
    object: 'dispute',
    ...commonOf(dispute, fallbackId),
    charge: idOf(dispute['charge']),
    amount: integer(dispute['amount']),
    currency: text(dispute['currency']),
    dispute: {
      reason: text(dispute['reason']),
      due_by: integer(record(dispute['evidence_details'])?.['due_by']),
      movements: movements.length,
      currency: text(movements[0]?.['currency']),
      withdrawn: total((movement) => Math.max(0, -(integer(movement['amount']) ?? 0))),
      reinstated: total((movement) => Math.max(0, integer(movement['amount']) ?? 0)),
      fee: total((movement) => integer(movement['fee']) ?? 0),
    },
  };
}
