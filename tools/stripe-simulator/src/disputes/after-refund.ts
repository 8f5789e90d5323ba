import { type Charge } from '../charges/charge.js';
import { type Cause } from '../http/call.js';
import { refused } from '../http/errors.js';
import { type World } from '../world.js';
import { decide } from './decide.js';
import { isInquiry, isOpen } from './dispute.js';

/** A charge that was charged back has given its money back already. */
export function mustBeRefundable(world: World, charge: Charge): void {
  if (!charge.disputed) return;
  if (world.disputes.by('charge', charge.id).some((dispute) => !isInquiry(dispute) && !dispute.is_charge_refundable))
    throw refused(`Charge ${charge.id} has been charged back; cannot issue a refund.`, 'charge_disputed');
}

/** A full refund ends an inquiry, and no money is withdrawn for it any more. */
export function closeInquiries(world: World, charge: Charge, cause: Cause): void {
  if (!charge.disputed || !charge.refunded) return;
  for (const dispute of world.disputes.by('charge', charge.id)) {
    if (isInquiry(dispute) && isOpen(dispute)) decide(world, { ...dispute, is_charge_refundable: false }, 'closed', cause);
  }
}
