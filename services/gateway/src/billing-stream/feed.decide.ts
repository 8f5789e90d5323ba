import type { OutboxReadReply } from '@tidegate/contracts/rpc/outbox-read';
import type { Place } from '@tidegate/messaging/position-header';
import type { ResetReason } from './event-frame.js';
import type { Standing } from './event-log.js';

/** What to do with an event that the broker brought. `ask`: only the owner can say what it is. */
export type Judgement = 'append' | 'drop' | 'hold' | 'ask';

/** Positions are dense, so that one that is left out is one that the broker lost, or has not brought yet. */
export function judge(standing: Standing | null, place: Place): Judgement {
  if (!standing || place.epoch > standing.epoch) return 'ask';
  // A restored database gave the positions from there on out a second time.
  if (place.epoch < standing.epoch && place.position >= standing.epochStart) return 'drop';
  if (place.position <= standing.position) return 'drop';
  return place.position === standing.position + 1 ? 'append' : 'hold';
}

/**
 * What the owner's answer means. `begin`: nothing was known, go on from its head. `new_epoch`, `below_floor`: go on from its head, too, and what lies between
 * nobody can tell. The others change nothing.
 */
export type Word = 'read' | 'begin' | 'new_epoch' | 'below_floor' | 'epoch_went_back' | 'owner_behind';

/** `after` is the position that the owner was asked for; the standing may have moved since. */
export function heed(standing: Standing | null, page: Pick<OutboxReadReply, 'epoch' | 'floor' | 'head'>, after: number): Word {
  if (!standing) return 'begin';
  if (page.epoch > standing.epoch) return 'new_epoch';
  if (page.epoch < standing.epoch) return 'epoch_went_back';
  if (page.head < after) return 'owner_behind';
  return isBelowFloor(standing, page) ? 'below_floor' : 'read';
}

/** Whether something after this place exists that the owner no longer keeps. */
export const isBelowFloor = (place: Place, owner: { floor: number; head: number }): boolean =>
  owner.head > place.position && owner.floor > place.position + 1;

/** Whether this process has not come so far yet, or not heard of the epoch. */
export const isAhead = (place: Place, standing: Place): boolean =>
  place.epoch > standing.epoch || (place.epoch === standing.epoch && place.position > standing.position);

/**
 * Where a connection begins: after the last event that the client has seen, or now. With `reset` the client is told that it missed what nobody can give it. A place
 * ahead of the standing is one that another replica has told: the connection waits there.
 */
export function startOf(lastSeen: Place | null, standing: Standing): { at: Place; reset: ResetReason | null } {
  const now = { epoch: standing.epoch, position: standing.position };
  if (!lastSeen) return { at: now, reset: null };
  if (isAhead(lastSeen, standing)) return { at: lastSeen, reset: null };
  if (lastSeen.epoch !== standing.epoch) return { at: now, reset: 'epoch' };
  if (isBelowFloor(lastSeen, { floor: standing.floor, head: standing.position })) return { at: now, reset: 'below_floor' };
  return { at: lastSeen, reset: null };
}
