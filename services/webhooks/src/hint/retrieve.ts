import type { StripeOutcome, StripePort } from '@tidegate/stripe-gateway/port';
import { isRetrievable } from '@tidegate/stripe-gateway/retrievable';
import type { ObjectReference } from '../normalize/normalized-event.decide.js';

export type Retriever = Pick<StripePort, 'retrieveObject'>;

/** `gone`: Stripe has no such object (any more), or it is of a kind that cannot be read; `later`: no answer now. */
export type Retrieved = { kind: 'object'; object: Record<string, unknown> } | { kind: 'gone' } | Later;
export interface Later {
  kind: 'later';
  reason: string;
  retryAfterMs: number | null;
}

/** The object at the pinned API version. */
export async function retrieve(stripe: Retriever, reference: ObjectReference | null): Promise<Retrieved> {
  if (reference === null || !isRetrievable(reference.kind)) return { kind: 'gone' };
  return read(await stripe.retrieveObject(reference.kind, reference.id));
}

function read(outcome: StripeOutcome<Record<string, unknown>>): Retrieved {
  switch (outcome.kind) {
    case 'ok':
      return { kind: 'object', object: outcome.value };
    case 'not_found':
      return { kind: 'gone' };
    case 'limited':
    case 'refused':
      return { kind: 'later', reason: `stripe: ${outcome.kind}`, retryAfterMs: outcome.retryAfterMs };
    case 'unknown':
    case 'in_use':
    case 'auth':
    case 'declined':
    case 'rejected':
      return { kind: 'later', reason: `stripe: ${outcome.kind}`, retryAfterMs: null };
  }
}
