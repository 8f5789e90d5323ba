import type { StripeEventHandled } from '@tidegate/contracts/events/stripe-event-handled';

export type Outcome = StripeEventHandled['outcome'];

export interface ReportedOutcome {
  consumer: string;
  outcome: Outcome;
  reason: string | null;
}

/** What an operator has to see first. A foreign object is worth more notice than one consumer's having noted it. */
export const NOTICE: Record<Outcome, number> = { failed: 4, parked: 3, foreign: 2, processed: 1, ignored: 0 };

/** One outcome for an event that several consumers reported about: the one that needs most attention, with its consumer's reason. */
export function summary(reports: readonly ReportedOutcome[]): { outcome: Outcome; error: string | null } | null {
  const [first, ...rest] = reports;
  if (first === undefined) return null;
  const worst = rest.reduce((a, b) => (NOTICE[b.outcome] > NOTICE[a.outcome] ? b : a), first);
  return { outcome: worst.outcome, error: worst.reason === null ? null : `${worst.consumer}: ${worst.reason}` };
}
