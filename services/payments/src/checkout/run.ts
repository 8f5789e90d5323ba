import { type Cause } from '../payment/run.js';
import { type Held, type WaitsFor } from '../work/work.store.js';
import { type Checkout, callIdOf } from './checkout.state.js';
import { type Loaded } from './checkout.store.js';

/** One tenure of a checkout's lease, with the checkout as this run knows it. */
export interface Run {
  held: Held;
  loaded: Loaded;
  cause: Cause;
  /** Wall clock, epoch milliseconds: no call starts after it. */
  deadline: number;
  /** The call that was committed to before this tenure and whose holder vanished: it may be out there. */
  stale: string | null;
  /** Stripe is to be asked how the page stands. */
  refresh: boolean;
  /** What a restore may have lost of it was looked for. */
  sought: boolean;
  /** Why the run stopped before certainty, when the reason was that no call could be made. */
  turnedAway: { retryAfterMs: number } | null;
  /** What turned it away. */
  waitsFor: WaitsFor | null;
}

export const checkoutOf = ({ loaded }: Run): Checkout => {
  if (loaded.state.kind === 'none') throw new Error('Bug: a run without a checkout');
  return loaded.state;
};

export const newRun = (held: Held, loaded: Loaded, cause: Cause, deadline: number): Run => ({
  held,
  loaded,
  cause,
  deadline,
  stale: held.takenOver && loaded.state.kind === 'checkout' ? callIdOf(loaded.state) : null,
  refresh: held.refresh,
  sought: false,
  turnedAway: null,
  waitsFor: null,
});
