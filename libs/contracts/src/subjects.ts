/** The services that own an outbox, and the stream that carries it. */
export const STREAM_OF_OWNER = {
  payments: 'PAYMENTS_EVENTS',
  webhooks: 'STRIPE_EVENTS',
  receipts: 'RECEIPTS_EVENTS',
  reconciliation: 'RECONCILIATION_EVENTS',
} as const;

export type Owner = keyof typeof STREAM_OF_OWNER;
export type StreamName = (typeof STREAM_OF_OWNER)[Owner];

/** First token of the subjects a service publishes events under. Webhooks speaks for Stripe. */
export const SUBJECT_PREFIX_OF_OWNER: Record<Owner, string> = {
  payments: 'payments.events',
  webhooks: 'stripe.events',
  receipts: 'receipts.events',
  reconciliation: 'reconciliation.events',
};

/**
 * `<service>.events.stripe_event.handled.v1`: what a consumer made of one Stripe event; webhooks projects it.
 */
export const handledSubject = (service: Owner): string => `${service}.events.stripe_event.handled.v1`;

export const outboxReadSubject = (owner: Owner): string => `${owner}.rpc.outbox.read.v1`;

/** `payments.events.payment.succeeded.v1` -> `payment.succeeded`. */
export const factOf = (subject: string): string =>
  subject.slice(subject.indexOf('.', subject.indexOf('.') + 1) + 1, subject.lastIndexOf('.'));
