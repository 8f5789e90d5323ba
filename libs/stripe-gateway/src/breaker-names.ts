import { BREAKER_NAMES, type BreakerName } from '@tidegate/contracts/ids';
import { type Operation, READS } from './port.js';

export { type BreakerName };

/** Writes, reads, and reports of usage, each with a breaker of its own: what ails one need not ail the others. */
export const BREAKERS = BREAKER_NAMES;

/** Operations that report usage; they are many, and none of them moves money. */
const USAGE: readonly Operation[] = ['createMeterEvent'];

export function breakerOf(operation: Operation): BreakerName {
  if (USAGE.includes(operation)) return 'stripe_usage';
  return (READS as readonly string[]).includes(operation) ? 'stripe_reads' : 'stripe';
}

export const isBreakerName = (text: string): text is BreakerName => (BREAKERS as readonly string[]).includes(text);
