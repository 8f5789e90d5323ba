import type { StripeOutcome, StripePort } from '@tidegate/stripe-gateway/port';
import type { ObjectReference } from '../normalize/normalized-event.decide.js';

export type Retriever = Pick<
  StripePort,
  'retrieveIntent' | 'retrieveCharge' | 'retrieveRefund' | 'retrieveDispute' | 'retrieveCheckoutSession'
>;

/** `gone`: Stripe has no such object, or we do not read this kind; `later`: no answer now. */
export type Retrieved =
  { kind: 'object'; object: object } | { kind: 'gone' } | { kind: 'later'; reason: string; retryAfterMs: number | null };

/** The object at the pinned API version. */
export async function retrieve(stripe: Retriever, reference: ObjectReference | null): Promise<Retrieved> {
  switch (reference?.kind) {
    case 'payment_intent':
      return read(await stripe.retrieveIntent(reference.id));
    case 'charge':
      return read(await stripe.retrieveCharge(reference.id));
    case 'refund':
      return read(await stripe.retrieveRefund(reference.id));
    case 'dispute':
      return read(await stripe.retrieveDispute(reference.id));
    case 'checkout.session':
      return read(await stripe.retrieveCheckoutSession(reference.id));
    default:
      return { kind: 'gone' };
  }
}

function read(outcome: StripeOutcome<object>): Retrieved {
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
