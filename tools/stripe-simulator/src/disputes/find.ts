import { noSuch, refused } from '../http/errors.js';
import { type World } from '../world.js';
import { type Dispute, isOpen } from './dispute.js';
import { ALLOWED_FROM, type DisputeOperation } from './transitions.js';

/** The dispute of a path id (404) or of a parameter (400). */
export function disputeById(world: World, id: string, param = 'id'): Dispute {
  const dispute = world.disputes.get(id);
  if (dispute === undefined) throw noSuch('dispute', id, param);
  return dispute;
}

/** Refuses an operation that the dispute's state does not allow. */
export function mustAllow(operation: DisputeOperation, dispute: Dispute): void {
  if (ALLOWED_FROM[operation].includes(dispute.status)) return;
  throw refused(
    isOpen(dispute)
      ? `The evidence of dispute ${dispute.id} has been submitted already; it can't be changed or closed while the bank reviews it.`
      : `This dispute is already closed; it has a status of ${dispute.status}.`,
    undefined,
  );
}
