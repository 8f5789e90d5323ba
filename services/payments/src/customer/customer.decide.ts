import { type Customer as StripeCustomer } from '@tidegate/stripe-gateway/intent';
import { type StripeOutcome } from '@tidegate/stripe-gateway/port';

/** A row of `customers`, see its migration. */
export interface Customer {
  ref: string;
  command_id: string;
  tenant: string;
  version: number;
  status: 'creating' | 'active' | 'refused' | 'erasing' | 'erased';
  stripe_customer: string | null;
  email: string | null;
  name: string | null;
  locale: string | null;
  metadata: Record<string, string>;
  livemode: boolean;
  call_n: number;
  call_since: Date;
  call_answer: 'awaited' | 'missing' | 'certain';
  call_stored: boolean;
  created_at: Date;
  erased_at: Date | null;
}

/** What a call made of a customer: the columns to change; null when it certainly had no effect. */
export type Change = Partial<Customer> | null;

/** Stripe keeps keys for 24 hours at least. */
const KEY_LIFE_MS = 23 * 3_600_000;

/** The answer to the call that makes a customer. */
export function decideCreated(outcome: StripeOutcome<StripeCustomer>): Change {
  switch (outcome.kind) {
    case 'ok':
      return { status: 'active', stripe_customer: outcome.value.id, call_answer: 'certain' };
    case 'declined':
    case 'rejected':
    case 'not_found':
      return { status: 'refused', call_answer: 'certain', ...blank };
    case 'unknown':
      return { call_answer: 'missing', call_stored: outcome.stored };
    case 'in_use':
    case 'limited':
    case 'auth':
    case 'refused':
      return null;
    default:
      return outcome satisfies never;
  }
}

/** What a complete list says about a call without an answer: the customer that it made, or the next try, under the next key when this one is used up. */
export function decideFound(customer: Customer, found: readonly StripeCustomer[], now: Date): Change {
  const [made] = found.filter((one) => !one.deleted).toSorted((a, b) => a.created - b.created || (a.id < b.id ? -1 : 1));
  if (made) return { status: 'active', stripe_customer: made.id, call_answer: 'certain' };
  const usedUp = customer.call_stored || now.getTime() - customer.call_since.getTime() >= KEY_LIFE_MS;
  return {
    call_answer: 'awaited',
    call_stored: false,
    ...(usedUp ? { call_n: customer.call_n + 1, call_since: now } : {}),
  };
}

/** The answer to the call that deletes a customer: one that Stripe does not know (any more) is deleted, too. */
export function decideDeleted(outcome: StripeOutcome<StripeCustomer>): Change {
  return outcome.kind === 'ok' || outcome.kind === 'not_found' ? { status: 'erased' } : null;
}

/** Nothing about the person. */
export const blank = { email: null, name: null, locale: null, metadata: {} } as const;
