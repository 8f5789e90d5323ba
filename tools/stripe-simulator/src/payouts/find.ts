import { noSuch, refused } from '../http/errors.js';
import { type World } from '../world.js';
import { type Payout } from './payout.js';
import { ALLOWED_FROM, type PayoutOperation } from './transitions.js';

/** The payout of a path id (404) or of a parameter (400). */
export function payoutById(world: World, id: string, param = 'id'): Payout {
  const payout = world.payouts.get(id);
  if (payout === undefined) throw noSuch('payout', id, param);
  return payout;
}

/** Refuses an operation that the payout's state does not allow. */
export function mustAllow(operation: PayoutOperation, payout: Payout): void {
  if (ALLOWED_FROM[operation].includes(payout.status)) return;
  const allowed = ALLOWED_FROM[operation].join(' or ');
  throw refused(
    `Payout ${payout.id} has a status of ${payout.status}; only a payout that is ${allowed} can do that (${operation}).`,
    undefined,
  );
}
