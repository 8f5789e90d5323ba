import type { Finding } from '../compare/compare.decide.js';

/**
 * What would heal a disagreement. `look_up`: payments asks Stripe about its payment and records the answer, as it does for a webhook. `adopt`: the object
 * becomes a payment of origin dashboard. Null: somebody has to look at it.
 */
export type ProposedRepair = 'look_up' | 'adopt' | null;

export function proposedRepair({ class: name, object, payment_id, local }: Finding): ProposedRepair {
  switch (name) {
    case 'status_mismatch':
    case 'amount_mismatch':
      return payment_id === null ? null : 'look_up';
    case 'missing_remote':
      return local === 'unknown' && payment_id !== null ? 'look_up' : null;
    case 'missing_local':
      if (object === 'refund') return payment_id === null ? null : 'look_up';
      return local === null ? 'adopt' : null;
  }
}
