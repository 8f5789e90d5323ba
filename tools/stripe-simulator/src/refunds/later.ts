import { type World } from '../world.js';
import { recordRefundBalance, recordRefundFailureBalance } from './movements.js';
import { type Refund } from './refund.js';

export const SUCCEED_REFUND = 'refund.succeed';
export const FAIL_REFUND = 'refund.fail';

/** A pending refund reaches the customer. */
export function succeedRefund(world: World, id: string): void {
  const before = world.refunds.get(id);
  if (before?.status !== 'pending') return;
  const { pending_reason: _, ...rest } = before;
  const after: Refund = { ...rest, status: 'succeeded', balance_transaction: recordRefundBalance(world, before).id };
  world.refunds.replace(after);
  world.events.emit('refund.updated', after, undefined, before);
}

/** The bank sends the money back: the refund fails, perhaps long after it showed succeeded, and its amount is refundable again. */
export function failRefund(world: World, id: string): void {
  const before = world.refunds.get(id);
  if (before === undefined || (before.status !== 'succeeded' && before.status !== 'pending')) return;
  const { pending_reason: _, ...rest } = before;
  const returned = before.balance_transaction === null ? {} : { failure_balance_transaction: recordRefundFailureBalance(world, before).id };
  const after: Refund = { ...rest, ...returned, status: 'failed', failure_reason: 'expired_or_canceled_card' };
  world.refunds.replace(after);
  const charge = world.charges.get(before.charge);
  if (charge !== undefined) world.charges.replace({ ...charge, amount_refunded: charge.amount_refunded - before.amount, refunded: false });
  world.events.emit('refund.updated', after, undefined, before);
  world.events.emit('refund.failed', after);
}
