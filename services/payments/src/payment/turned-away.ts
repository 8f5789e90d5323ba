import { type StripeFailure, type StripeOutcome } from '@tidegate/stripe-gateway/port';
import { earlier } from '../work/schedule.js';
import { type Left, type WaitsFor } from '../work/work.store.js';
import { type Run } from './run.js';

/** A limit that names no time is tried again after this. */
const SHORTEST_LIMIT_MS = 250;

const TURNED_AWAY_BY: Partial<Record<StripeFailure['kind'], WaitsFor>> = {
  refused: 'breaker_open',
  limited: 'rate_limited',
  in_use: 'key_in_use',
  auth: 'auth',
};

/** Notes why a call was not made. Neither an open breaker nor a limit says anything about this payment, so neither burns an attempt. */
export function noteTurnedAway(run: Run, outcome: StripeOutcome<unknown>, now: Date): void {
  run.waitsFor = outcome.kind === 'ok' ? 'another_look' : (TURNED_AWAY_BY[outcome.kind] ?? 'answer_missing');
  run.refused ||= outcome.kind === 'refused' || outcome.kind === 'limited';
  if (outcome.kind === 'limited') run.limitedUntil = new Date(now.getTime() + Math.max(outcome.retryAfterMs, SHORTEST_LIMIT_MS));
}

/** What a limit turned away keeps its due time, and with it its place before those accepted later. */
export function leftOf(run: Run, due: Date): Left {
  const { limitedUntil, waitsFor, held } = run;
  const attempt = held.attempt + (run.refused ? 0 : 1);
  if (!limitedUntil) return { dueAt: due, attempt, waitsFor };
  return { dueAt: earlier(held.due_at, limitedUntil) ?? due, attempt, waitsFor, notBefore: limitedUntil };
}
