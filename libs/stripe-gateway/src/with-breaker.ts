import { admit, type BreakerRules, type BreakerState, closedBreaker, DEFAULT_BREAKER_RULES, report } from '@tidegate/resilience/breaker';
import { around, type Operation, READS, type StripeOutcome, type StripePort } from './port.js';

export type BreakerName = 'stripe' | 'stripe_reads';

export interface BreakerChange {
  breaker: BreakerName;
  from: BreakerState['state'];
  to: BreakerState['state'];
}

/** One breaker for writes and one for reads, each in this process only. Wall clock in milliseconds. */
export class Breakers {
  private readonly states: Record<BreakerName, BreakerState> = { stripe: closedBreaker, stripe_reads: closedBreaker };

  constructor(private readonly options: { rules?: BreakerRules; now?: () => number; onChange?: (change: BreakerChange) => void } = {}) {}

  /** Whether a new request may be accepted: null when it may, else how long to wait. Takes no probe. */
  closedFor(breaker: BreakerName): { retryAfterMs: number } | null {
    const door = admit(this.states[breaker], this.rules, this.now());
    return door.admit ? null : { retryAfterMs: door.retryAfterMs };
  }

  state(breaker: BreakerName): BreakerState['state'] {
    return this.states[breaker].state;
  }

  async run<T>(breaker: BreakerName, call: () => Promise<StripeOutcome<T>>): Promise<StripeOutcome<T>> {
    const door = admit(this.states[breaker], this.rules, this.now());
    if (!door.admit) return { kind: 'refused', retryAfterMs: door.retryAfterMs };
    this.move(breaker, door.next);
    const outcome = await call();
    this.move(breaker, report(this.states[breaker], this.rules, { failed: isFailure(outcome), probe: door.probe }, this.now()));
    return outcome;
  }

  private move(breaker: BreakerName, next: BreakerState): void {
    const from = this.states[breaker].state;
    this.states[breaker] = next;
    if (from !== next.state) this.options.onChange?.({ breaker, from, to: next.state });
  }

  private get rules(): BreakerRules {
    return this.options.rules ?? DEFAULT_BREAKER_RULES;
  }

  private now(): number {
    return (this.options.now ?? Date.now)();
  }
}

/** No call starts while its breaker is open; what fails is a connection, a timeout, a 5xx or a broken body, never a 4xx. */
export function withBreaker(port: StripePort, breakers: Breakers): StripePort {
  return around(port, (operation, call) => breakers.run(breakerOf(operation), call));
}

const breakerOf = (operation: Operation): BreakerName => ((READS as readonly string[]).includes(operation) ? 'stripe_reads' : 'stripe');

const isFailure = (outcome: StripeOutcome<unknown>): boolean => outcome.kind === 'unknown' && outcome.cause !== 'key_conflict';
