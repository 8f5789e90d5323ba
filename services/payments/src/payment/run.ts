import { type HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { type Held, type WaitsFor } from '../work/work.store.js';
import { type Loaded } from './payment.store.js';
import { callIdOf, type Payment, type PaymentState } from './payment.state.js';

/** Who or what caused the events of a run. */
export interface Cause {
  correlation_id: string;
  causation_id: string | null;
  actor: string;
}

/** One tenure of a payment's lease, with the payment as this run knows it. */
export interface Run {
  held: Held;
  loaded: Loaded;
  cause: Cause;
  /** Wall clock, epoch milliseconds: no call starts after it. */
  deadline: number;
  /** Calls that were committed to before this tenure and whose holder vanished: each may be out there. */
  stale: Set<string>;
  released: boolean;
  /** Certain answers that this run stored, by command. */
  replies: Map<string, HttpReply>;
  /** Why the run stopped before certainty, when the reason was that no call could be made. */
  turnedAway: { retryAfterMs: number } | null;
  /** A breaker or a limit let no call through; that burns no attempt. */
  refused: boolean;
  /** What the payment waits for if this run cannot finish it. */
  waitsFor: WaitsFor;
  /** A limit turned it away until then, on the clock of decisions; it keeps its place. */
  limitedUntil: Date | null;
}

export const paymentOf = (run: Run): Payment => {
  if (run.loaded.state.kind === 'none') throw new Error('Bug: a run without a payment');
  return run.loaded.state;
};

/** What may have been out without an answer when a holder vanished; a call whose answer is missing may have been repeated. */
export function openCalls(state: PaymentState): Set<string> {
  if (state.kind === 'none') return new Set();
  const refunds = state.refunds.filter((refund) => refund.status === 'requested').map((refund) => refund.id);
  const { pending } = state;
  return new Set(pending?.submission ? [callIdOf(pending), ...refunds] : refunds);
}
