import { z } from 'zod';
import { CheckoutPaymentStatus, CheckoutStatus, LateSuccess } from './checkout.js';
import { DisputeFunds, DisputeStatus, PaymentStatus, RefundStatus } from './payment.js';

export const RefundView = z.object({
  id: z.string(),
  object: z.literal('refund'),
  status: RefundStatus,
  amount: z.int(),
  reason: z.string().nullable(),
  /** Why it failed, in Stripe's words. */
  failure: z.object({ code: z.string(), message: z.string() }).optional(),
  created_at: z.iso.datetime(),
});
export type RefundView = z.infer<typeof RefundView>;

/** `id` is Stripe's. `kind` inquiry: the bank asks and no money moves; chargeback: it has taken the money. */
export const DisputeView = z.object({
  id: z.string(),
  object: z.literal('dispute'),
  kind: z.enum(['inquiry', 'chargeback']),
  status: DisputeStatus,
  amount: z.int(),
  currency: z.string(),
  reason: z.string().nullable(),
  respond_by: z.iso.datetime().nullable(),
  funds: DisputeFunds.nullable(),
  created_at: z.iso.datetime(),
});
export type DisputeView = z.infer<typeof DisputeView>;

/** The payment as REST answers it. `client_secret` only in answers to POST. */
export const PaymentView = z.object({
  id: z.string(),
  object: z.literal('payment'),
  status: PaymentStatus,
  amount: z.int(),
  amount_captured: z.int(),
  amount_refunded: z.int(),
  currency: z.string(),
  stripe_payment_intent: z.string().nullable(),
  client_secret: z.string().optional(),
  next_action: z.unknown().optional(),
  failure: z.object({ code: z.string(), decline_code: z.string().nullable(), message: z.string() }).optional(),
  /** Of a canceled payment: Stripe's reason or one of ours (`expired`, `expired_in_queue`, `dead_lettered`). */
  cancellation_reason: z.string().nullable().optional(),
  refunds: z.array(RefundView),
  /** The dispute that matters now: an open one, else the newest. */
  dispute: DisputeView.optional(),
  /** All disputes, oldest first; absent when there was never one. */
  disputes: z.array(DisputeView).optional(),
  receipt: z.string().nullable(),
  origin: z.enum(['api', 'checkout', 'subscription', 'dashboard']),
  metadata: z.record(z.string(), z.string()),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});
export type PaymentView = z.infer<typeof PaymentView>;

export const TimelineEntry = z.object({
  type: z.string(),
  at: z.iso.datetime(),
  summary: z.string(),
  data: z.record(z.string(), z.unknown()),
});
export const Timeline = z.object({ data: z.array(TimelineEntry) });

export const ReceiptView = z.object({
  id: z.string(),
  object: z.literal('receipt'),
  number: z.string(),
  kind: z.enum(['receipt', 'credit_note']),
  payment: z.string(),
  /** Of a credit note: our id of the refund, and the receipt that it takes back. */
  refund: z.string().nullable(),
  refers_to: z.string().nullable(),
  amount: z.int(),
  currency: z.string(),
  status: z.enum(['issued', 'rendered', 'failed']),
  sha256: z.string().nullable(),
  template: z.string().nullable(),
  /** To the PDF, signed, for some minutes. */
  link: z.string().nullable(),
  /** How its mail stands: `unknown` may have arrived. */
  mail: z.enum(['none', 'due', 'sending', 'sent', 'refused', 'unknown']),
  issued_at: z.iso.datetime(),
  /** When a credit note ceased to count, because its refund failed after all. */
  voided_at: z.iso.datetime().nullable(),
});
export type ReceiptView = z.infer<typeof ReceiptView>;

export const DISCREPANCY_CLASSES = [
  'missing_local',
  'missing_remote',
  'status_mismatch',
  'amount_mismatch',
  'currency_mismatch',
  'refund_mismatch',
  'dispute_mismatch',
  'duplicate_charge',
  'checkout_mismatch',
  'subscription_mismatch',
  'invoice_mismatch',
  'usage_mismatch',
  'receipt_missing',
  'ledger_imbalance',
] as const;
export const DiscrepancyClass = z.enum(DISCREPANCY_CLASSES);
export type DiscrepancyClass = z.infer<typeof DiscrepancyClass>;

/** What a run is at: Stripe's lists, what is recorded and was on none, everything that seemed to disagree again, and what is done about it. */
export const RunPhase = z.enum(['waiting', 'listing', 'recorded', 'second_read', 'report', 'ended']);
export type RunPhase = z.infer<typeof RunPhase>;

/** Who made a run: somebody, the schedule each day, or the compare of what is recent. */
export const RunTrigger = z.enum(['operator', 'daily', 'rolling']);
export type RunTrigger = z.infer<typeof RunTrigger>;

/** Beside the newest run of the same kind that looked at part of the same time: how many rows are new, how many it had found too, and how many are gone. */
export const RunComparison = z.object({ previous: z.string().nullable(), new: z.int(), persisting: z.int(), gone: z.int() });
export type RunComparison = z.infer<typeof RunComparison>;

/** `counts`, `comparison` and discrepancies are the caller's tenant's, also of a run of every tenant. `comparison` is null until it has succeeded. */
export const RunView = z.object({
  id: z.string(),
  object: z.literal('reconciliation_run'),
  trigger: RunTrigger,
  every_tenant: z.boolean(),
  status: z.enum(['running', 'succeeded', 'failed']),
  mode: z.enum(['report', 'repair']),
  start_date: z.iso.date(),
  end_date: z.iso.date(),
  progress: z.object({ pages: z.int(), objects: z.int(), percent: z.int(), phase: RunPhase }),
  counts: z.record(z.string(), z.int()),
  comparison: RunComparison.nullable(),
  reason: z.string().nullable(),
  created_at: z.iso.datetime(),
  finished_at: z.iso.datetime().nullable(),
});
export type RunView = z.infer<typeof RunView>;

/** `gone`: the run before had found it. */
export const DiscrepancyState = z.enum(['new', 'persisting', 'gone']);

export const DiscrepancyView = z.object({
  class: DiscrepancyClass,
  object: z.string(),
  state: DiscrepancyState,
  payment_id: z.string().nullable(),
  stripe_id: z.string().nullable(),
  local_id: z.string().nullable().describe('Our id of the object itself; of a payment the same as payment_id'),
  local: z.string().nullable(),
  remote: z.string().nullable(),
  first_seen: z.iso.datetime(),
  age_seconds: z.int(),
  proposed_repair: z.string().nullable(),
  applied: z.boolean(),
  reason: z.string().nullable(),
});
export type DiscrepancyView = z.infer<typeof DiscrepancyView>;

/**
 * What one account of the ledger holds in one currency, in minor units: `balance` = `debit` - `credit`, which for income is usually below zero. `kind` is the
 * accountant's.
 */
export const LedgerBalanceView = z.object({
  account: z.string(),
  object: z.literal('ledger_balance'),
  kind: z.enum(['asset', 'income', 'expense']),
  currency: z.string(),
  debit: z.int(),
  credit: z.int(),
  balance: z.int(),
});
export type LedgerBalanceView = z.infer<typeof LedgerBalanceView>;

/** `fee_pending`: sales of the last 30 days that Stripe has not settled, whose fees are therefore not in the ledger yet. */
export const LedgerBalances = z.object({ data: z.array(LedgerBalanceView), fee_pending: z.int() });
export type LedgerBalances = z.infer<typeof LedgerBalances>;

export const WebhookEventView = z.object({
  id: z.string(),
  object: z.literal('webhook_event'),
  type: z.string(),
  /** Id of the Stripe object that the event is about. */
  object_id: z.string().nullable(),
  created: z.int(),
  tenant: z.string().nullable(),
  status: z.string(),
  error: z.string().nullable(),
  received_at: z.iso.datetime(),
});
export type WebhookEventView = z.infer<typeof WebhookEventView>;

export const BREAKER_STATES = ['closed', 'open', 'half_open', 'isolated', 'auth'] as const;

/** One circuit breaker of the fleet. `retry_at`: when the next probe may be sent; null unless it is open or half open. */
export const BreakerView = z.object({
  name: z.string(),
  object: z.literal('breaker'),
  state: z.enum(BREAKER_STATES),
  /** Within the window, since the last change of state. */
  failures: z.int(),
  calls: z.int(),
  last_failure_at: z.iso.datetime().nullable(),
  retry_at: z.iso.datetime().nullable(),
  threshold: z.int(),
  ratio: z.number(),
  window_seconds: z.number(),
  recovery_seconds: z.number(),
  since: z.iso.datetime(),
  /** Operations that are not called for now: Stripe answered 403, or asked for a pause of that endpoint. */
  held_operations: z.array(z.object({ operation: z.string(), until: z.iso.datetime().nullable(), reason: z.string() })),
});
export type BreakerView = z.infer<typeof BreakerView>;
/** `url` only while it is open. `failure`: Stripe refused to open it. */
export const CheckoutView = z.object({
  id: z.string(),
  object: z.literal('checkout_session'),
  status: CheckoutStatus,
  url: z.string().nullable(),
  window_ends_at: z.iso.datetime(),
  payment: z.string().nullable(),
  payment_status: CheckoutPaymentStatus,
  late_success: LateSuccess.nullable(),
  amount_total: z.int(),
  currency: z.string(),
  customer: z.string().nullable(),
  stripe_checkout_session: z.string().nullable(),
  failure: z.object({ code: z.string(), message: z.string() }).optional(),
  metadata: z.record(z.string(), z.string()),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
});
export type CheckoutView = z.infer<typeof CheckoutView>;

/** `erasing`: gone here, and not yet certainly at Stripe. */
export const CustomerView = z.object({
  id: z.string(),
  object: z.literal('customer'),
  status: z.enum(['active', 'erasing', 'erased']),
  email: z.string().nullable(),
  name: z.string().nullable(),
  locale: z.string().nullable(),
  metadata: z.record(z.string(), z.string()),
  created_at: z.iso.datetime(),
  erased_at: z.iso.datetime().nullable(),
});
export type CustomerView = z.infer<typeof CustomerView>;

/** What a look at every overdue window found. `unresolved`: Stripe gave no certain answer; tried again by itself. */
export const WindowReport = z.object({
  object: z.literal('payment_window_report'),
  overdue: z.int(),
  expired: z.array(z.string()),
  complete: z.array(z.string()),
  unresolved: z.array(z.string()),
  oldest_overdue_seconds: z.int(),
  /** More than one look takes are overdue. */
  has_more: z.boolean(),
});
export type WindowReport = z.infer<typeof WindowReport>;

/** The only answer that ever shows the token. What is read from the API after it, and the stream from behind `last_event_id`, leave no gap between them. */
export const StreamTokenView = z.object({
  object: z.literal('stream_token'),
  token: z.string(),
  expires_at: z.iso.datetime(),
  last_event_id: z.string().nullable().describe('How far the stream was; never null: while the gateway does not know, it makes no token'),
});
export type StreamTokenView = z.infer<typeof StreamTokenView>;

export const listOf = <T extends z.ZodType>(item: T) =>
  z.object({ data: z.array(item), has_more: z.boolean(), next_cursor: z.string().nullable() });
