/**
 * Stripe's event types that mean something to Tidegate; a webhook endpoint of ours is registered for exactly these. Whatever else arrives is stored and
 * ignored. To handle another type, add it here: `tidegate stripe setup --check` then reports the endpoints that lack it. A disputed charge that Stripe
 * settles by money alone shows as funds_withdrawn and funds_reinstated. Source: https://docs.stripe.com/api/events/types
 */
export const HANDLED_EVENT_TYPES = [
  'charge.captured',
  'charge.dispute.closed',
  'charge.dispute.created',
  'charge.dispute.funds_reinstated',
  'charge.dispute.funds_withdrawn',
  'charge.dispute.updated',
  'charge.expired',
  'charge.failed',
  'charge.pending',
  'charge.refund.updated',
  'charge.refunded',
  'charge.succeeded',
  'charge.updated',
  'checkout.session.async_payment_failed',
  'checkout.session.async_payment_succeeded',
  'checkout.session.completed',
  'checkout.session.expired',
  'customer.deleted',
  'payment_intent.amount_capturable_updated',
  'payment_intent.canceled',
  'payment_intent.created',
  'payment_intent.partially_funded',
  'payment_intent.payment_failed',
  'payment_intent.processing',
  'payment_intent.requires_action',
  'payment_intent.succeeded',
  'refund.created',
  'refund.failed',
  'refund.updated',
] as const;
