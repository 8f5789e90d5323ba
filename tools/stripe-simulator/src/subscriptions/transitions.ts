import { type SubscriptionStatus } from './subscription.js';

export type SubscriptionOperation = 'update' | 'cancel' | 'resume';

/**
 * Which states allow which operation. Elsewhere: 400, but 404 for cancelling what has ended. A few fields change in every state
 * (update.ts).
 */
export const ALLOWED_FROM: Readonly<Record<SubscriptionOperation, readonly SubscriptionStatus[]>> = {
  update: ['trialing', 'active', 'past_due', 'unpaid', 'paused'],
  cancel: ['trialing', 'active', 'incomplete', 'past_due', 'unpaid', 'paused'],
  resume: ['paused'],
};

/** The states in which time brings a new period. */
export const RENEWING: readonly SubscriptionStatus[] = ['trialing', 'active', 'past_due', 'unpaid'];

interface Outcome {
  readonly status: SubscriptionStatus;
  /** Every event of the step, in the order in which they are emitted. */
  readonly events: readonly string[];
}

const OPENED = ['invoice.created', 'payment_intent.created', 'invoice.finalized'] as const;
const PAID = [
  'charge.succeeded',
  'payment_intent.succeeded',
  'invoice_payment.paid',
  'invoice.updated',
  'invoice.paid',
  'invoice.payment_succeeded',
] as const;
const FAILED = ['charge.failed', 'payment_intent.payment_failed', 'invoice.updated', 'invoice.payment_failed'] as const;
const FREE = ['invoice.created', 'invoice.finalized', 'invoice.updated', 'invoice.paid', 'invoice.payment_succeeded'] as const;

/** What can come of a subscription to one licensed price: its state afterwards and the exact events of the step. */
export const OUTCOMES = {
  created_active: { status: 'active', events: [...OPENED, ...PAID, 'customer.subscription.created'] },
  created_trialing: { status: 'trialing', events: [...FREE, 'customer.subscription.created'] },
  created_declined: { status: 'incomplete', events: [...OPENED, ...FAILED, 'customer.subscription.created'] },
  created_action_required: {
    status: 'incomplete',
    events: [
      ...OPENED,
      'payment_intent.requires_action',
      'invoice.updated',
      'invoice.payment_action_required',
      'customer.subscription.created',
    ],
  },
  created_unpaid: { status: 'incomplete', events: [...OPENED, 'customer.subscription.created'] },
  first_paid: { status: 'active', events: [...PAID, 'customer.subscription.updated'] },
  first_never_paid: {
    status: 'incomplete_expired',
    events: ['payment_intent.canceled', 'invoice.updated', 'invoice.voided', 'customer.subscription.updated'],
  },
  updated: { status: 'active', events: ['customer.subscription.updated'] },
  renewed: { status: 'active', events: ['invoice.created', 'customer.subscription.updated'] },
  renewal_paid: { status: 'active', events: ['payment_intent.created', 'invoice.finalized', ...PAID] },
  renewal_failed: {
    status: 'past_due',
    events: ['payment_intent.created', 'invoice.finalized', ...FAILED, 'customer.subscription.updated'],
  },
  retry_paid: { status: 'active', events: [...PAID, 'customer.subscription.updated'] },
  last_retry_failed: { status: 'canceled', events: [...FAILED, 'invoice.updated', 'customer.subscription.deleted'] },
  cancel_at_period_end: { status: 'active', events: ['customer.subscription.updated'] },
  ended_at_period_end: { status: 'canceled', events: ['customer.subscription.deleted'] },
  canceled: { status: 'canceled', events: ['customer.subscription.deleted'] },
  trial_will_end: { status: 'trialing', events: ['customer.subscription.trial_will_end'] },
  trial_ended: { status: 'active', events: ['invoice.created', 'customer.subscription.updated'] },
  trial_ended_without_method: { status: 'paused', events: ['customer.subscription.updated', 'customer.subscription.paused'] },
  resumed: {
    status: 'active',
    events: [
      'invoice.created',
      'customer.subscription.updated',
      'payment_intent.created',
      'invoice.finalized',
      ...PAID,
      'customer.subscription.updated',
      'customer.subscription.resumed',
    ],
  },
} as const satisfies Readonly<Record<string, Outcome>>;

export type OutcomeName = keyof typeof OUTCOMES;
