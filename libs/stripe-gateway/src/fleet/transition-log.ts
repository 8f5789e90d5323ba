import { type Logger } from '@tidegate/telemetry/logger';
import { type BreakerStateName, type Transition } from './breaker.store.js';

const EVENTS: Record<BreakerStateName, string> = {
  closed: 'circuit_breaker_closed',
  open: 'circuit_breaker_open',
  half_open: 'circuit_breaker_half_open',
  isolated: 'circuit_breaker_isolated',
  auth: 'circuit_breaker_auth',
};

/** The line about a transition; written by the process that made it, so once in the fleet. */
export function logTransition(logger: Logger, { breaker, from_state, to_state, cause }: Transition): void {
  const level = to_state === 'closed' || to_state === 'half_open' ? 'info' : to_state === 'auth' ? 'error' : 'warn';
  logger[level](
    { event: EVENTS[to_state], target: breaker, from: from_state, cause },
    `Breaker ${breaker}: ${from_state} -> ${to_state} (${cause})`,
  );
}
