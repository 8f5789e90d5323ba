import { type Formula } from '@tidegate/stripe-gateway/meter';
import { agrees, unitsOf } from './decimal.js';

/** What an hour of single events stands at: how many are known to be delivered, and how often the latest was sent. */
export interface SingleEvents {
  last_value: string;
  delivered: number;
  /** Whether one has no certain answer. */
  open: boolean;
  latest_sent: number;
}

/**
 * What follows from Stripe's summary of an hour. `believe`: the sum that it says is what Stripe has. `again`: so many events did not arrive, the newest ones.
 * `latest_again`: the latest is sent once more. `arrived`: the one without an answer is what Stripe has beyond the others. `nothing`: both agree.
 */
export type Correction =
  | { kind: 'believe' }
  | { kind: 'again'; events: number }
  | { kind: 'latest_again' }
  | { kind: 'arrived' }
  | { kind: 'nothing' }
  | { kind: 'refused'; reason: string };

/** After this often somebody else's event is later than ours, and sending it changes nothing. */
export const MOST_TIMES_SENT = 3;

/** Stripe takes an event back for a day only, so single events can be sent again and never be made fewer. */
export function correctionOf(formula: Formula, counter: SingleEvents, summary: number): Correction {
  switch (formula) {
    case 'sum':
      return { kind: 'believe' };
    case 'count': {
      const lacking = counter.delivered - summary;
      if (lacking > 0) return { kind: 'again', events: lacking };
      if (lacking === 0) return counter.open ? { kind: 'again', events: 0 } : { kind: 'nothing' };
      if (lacking === -1 && counter.open) return { kind: 'arrived' };
      return { kind: 'refused', reason: 'Stripe counts more events than were sent, and takes none back after a day.' };
    }
    case 'last':
      if (agrees(unitsOf(counter.last_value), summary)) return { kind: 'nothing' };
      if (counter.latest_sent < MOST_TIMES_SENT) return { kind: 'latest_again' };
      return { kind: 'refused', reason: 'The latest was sent again before, and Stripe still has another one.' };
    default:
      return formula satisfies never;
  }
}
