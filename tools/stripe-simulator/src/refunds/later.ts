import { AUTOMATIC } from '../http/call.js';
import { type World } from '../world.js';
import { applyOutcome } from './apply.js';
import { recordRefundBalance, recordRefundFailureBalance } from './movements.js';
import { ALLOWED_FROM } from './transitions.js';

export const SUCCEED_REFUND = 'refund.succeed';
export const FAIL_REFUND = 'refund.fail';

/** A pending refund reaches the customer. */
export function succeedRefund(world: World, id: string): void {
  const before = world.refunds.get(id);
  if (before === undefined || !ALLOWED_FROM.succeed.includes(before.status)) return;
  const { pending_reason: _, ...rest } = before;
  applyOutcome(world, 'succeeded', { ...rest, balance_transaction: recordRefundBalance(world, before).id }, AUTOMATIC);
}

/** The bank sends the money back: the refund fails, perhaps long after it showed succeeded, and its amount is refundable again. */
export function failRefund(world: World, id: string): void {
  const before = world.refunds.get(id);
  if (before === undefined || !ALLOWED_FROM.fail.includes(before.status)) return;
  const { pending_reason: _, ...rest } = before;
  const returned = before.balance_transaction === null ? {} : { failure_balance_transaction: recordRefundFailureBalance(world, before).id };
  const charge = world.charges.get(before.charge);
  if (charge !== undefined) world.charges.replace({ ...charge, amount_refunded: charge.amount_refunded - before.amount, refunded: false });
  applyOutcome(world, 'failed', { ...rest, ...returned, failure_reason: 'expired_or_canceled_card' }, AUTOMATIC);
}
