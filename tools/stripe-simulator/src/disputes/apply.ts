import { type Cause } from '../http/call.js';
import { type World } from '../world.js';
import { type Dispute } from './dispute.js';
import { reinstate, withdraw } from './movements.js';
import { type DisputeOutcome, type DisputeOutcomeName, OUTCOMES } from './transitions.js';
import { disputeView } from './view.js';

/** Stores the dispute in the state of an outcome, moves the money and emits exactly the outcome's events. */
export function applyOutcome(world: World, name: DisputeOutcomeName, dispute: Dispute, cause: Cause): Dispute {
  const { status, events, money }: DisputeOutcome = OUTCOMES[name];
  const before = world.disputes.get(dispute.id);
  const moved = money === undefined ? [] : [money === 'withdrawn' ? withdraw(world, dispute) : reinstate(world, dispute)];
  const next = {
    ...dispute,
    status: status ?? dispute.status,
    balance_transactions: [...dispute.balance_transactions, ...moved],
  };
  const stored = before === undefined ? world.disputes.insert(next) : world.disputes.replace(next);
  const shown = disputeView(world, stored);
  for (const type of events) world.events.emit(type, shown, cause, before && disputeView(world, before));
  return stored;
}
