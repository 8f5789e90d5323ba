import { z } from 'zod';
import { CustomerId } from './ids.js';
import { Reason } from './ops/reason.js';

/** Decimal text that is counted exactly. Stripe's meters take as much: 15 digits before the point, 12 after it. */
export const DECIMAL = /^-?\d{1,15}(\.\d{1,12})?$/;

/** Usage older than this cannot be billed any more; Stripe takes timestamps up to 35 days old and 5 minutes ahead. */
export const OLDEST_USAGE_MS = 35 * 86_400_000;
export const USAGE_AHEAD_MS = 5 * 60_000;

/**
 * One event as it is sent. Only its outer shape is checked for the whole batch; what is in the fields is judged event by event, so that one that is wrong keeps no
 * other out.
 */
export const UsageEvent = z.strictObject({
  id: z.string().min(1).max(255).describe('Yours, unique per tenant for ever: an event that is sent again counts once'),
  customer: z.string().max(255).describe("Stripe's id; usage of one who is not known yet is kept and counted once he is"),
  meter: z.string().max(100).describe('The `event_name` of a billing meter'),
  value: z
    .union([z.string().max(40), z.number()])
    .describe('Decimal, up to 15 digits before the point and 12 after it; text keeps all of them. A negative value takes back'),
  at: z.string().max(40).describe('When it was used, RFC 3339: at most 35 days ago, and 5 minutes ahead'),
});
export type UsageEvent = z.infer<typeof UsageEvent>;

export const RecordUsageBody = z.strictObject({ events: z.array(UsageEvent).min(1).max(1000) });
export type RecordUsageBody = z.infer<typeof RecordUsageBody>;

/** Why an event is not counted and never will be as it is. */
export const USAGE_REJECTIONS = [
  'usage.customer_invalid',
  'usage.meter_invalid',
  'usage.value_invalid',
  'usage.time_invalid',
  'usage.too_old',
  'usage.in_future',
  'usage.id_reused',
  'not_found',
] as const;
export type UsageRejection = (typeof USAGE_REJECTIONS)[number];

export const RecordUsageView = z.object({
  object: z.literal('usage_events_recorded'),
  /** New events, stored for good, those of unknown customers included. */
  accepted: z.int(),
  /** Events that were stored before, word for word. */
  duplicate: z.int(),
  /** Of the accepted ones: those whose customer is not known yet. */
  parked: z.int(),
  rejected: z.array(z.object({ id: z.string(), code: z.enum(USAGE_REJECTIONS), index: z.int() })),
});
export type RecordUsageView = z.infer<typeof RecordUsageView>;

const decimal = z.string().describe('Decimal text, exact');

/** What was used of one meter in one period. */
export const UsageView = z.object({
  object: z.literal('usage'),
  customer: z.string(),
  meter: z.string(),
  /** How the meter counts; null until Stripe has told, `value` is then the sum. */
  aggregation: z.enum(['sum', 'count', 'last']).nullable(),
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  value: decimal,
  events: z.int(),
  /** Events that Stripe has not confirmed yet. */
  unreported: z.int(),
});
export type UsageView = z.infer<typeof UsageView>;

export const LIMIT_PERIODS = ['hour', 'day', 'month'] as const;
export type LimitPeriod = (typeof LIMIT_PERIODS)[number];

export const SetUsageLimitBody = z.strictObject({
  meter: z.string().min(1).max(100),
  customer: CustomerId.optional().describe('Absent: for every customer without a limit of his own'),
  period: z.enum(LIMIT_PERIODS).describe('Calendar hour, day or month in UTC'),
  limit: z
    .string()
    .regex(/^(none|-?\d{1,15}(\.\d{1,12})?)$/)
    .describe('Decimal text; `none` removes the limit'),
});
export type SetUsageLimitBody = z.infer<typeof SetUsageLimitBody>;

export const UsageLimitView = z.object({
  object: z.literal('usage_limit'),
  meter: z.string(),
  customer: z.string().nullable(),
  period: z.enum(LIMIT_PERIODS),
  /** Null: removed. */
  limit: decimal.nullable(),
});
export type UsageLimitView = z.infer<typeof UsageLimitView>;

/** Whether a customer may use more. */
export const UsageCheckView = z.object({
  object: z.literal('usage_check'),
  decision: z.enum(['allow', 'deny']),
  customer: z.string(),
  meter: z.string(),
  /** What was asked for. */
  value: decimal,
  /** Every limit that applies; `deny` when the value does not fit in each of them. */
  limits: z.array(
    z.object({
      period: z.enum(LIMIT_PERIODS),
      limit: decimal,
      used: decimal,
      remaining: decimal,
      resets_at: z.iso.datetime(),
    }),
  ),
});
export type UsageCheckView = z.infer<typeof UsageCheckView>;

/** Usage that is in no counter, by customer and meter. */
export const MissingCounterView = z.object({
  object: z.literal('missing_counter'),
  tenant: z.string(),
  customer: z.string(),
  meter: z.string(),
  /** `customer_unknown`: neither made here nor, when last asked, this tenant's at Stripe. */
  reason: z.literal('customer_unknown'),
  events: z.int(),
  value: decimal,
  /** The time of the earliest event. After 35 days it cannot be billed any more. */
  first_at: z.iso.datetime(),
  waiting_since: z.iso.datetime(),
  age_seconds: z.int(),
  /** How often Stripe was asked in vain whose customer it is. */
  attempts: z.int(),
});
export type MissingCounterView = z.infer<typeof MissingCounterView>;

export const STALE_REASONS = [
  'not_compared',
  'unreported',
  'breaker_open',
  'rate_limited',
  'auth',
  'answer_missing',
  'refused',
  'no_meter',
  'summary',
  'disagreement',
  'expired',
] as const;

/** An hour of a customer's usage that Stripe is not known to agree with. */
export const StaleCounterView = z.object({
  object: z.literal('stale_counter'),
  tenant: z.string(),
  customer: z.string(),
  meter: z.string(),
  hour: z.iso.datetime(),
  /** What the events of the hour add up to. */
  value: decimal,
  unreported_events: z.int(),
  /**
   * `not_compared`: all is reported, and no comparison has confirmed what it holds. `unreported`: nobody has tried yet. `expired`: too old for Stripe before it could be
   * reported. `disagreement`: Stripe's summary is neither with nor without the last report, which is not sent again. Otherwise why the last try led to nothing.
   */
  reason: z.enum(STALE_REASONS),
  unreported_since: z.iso.datetime().nullable(),
  last_reconciled_at: z.iso.datetime().nullable(),
});
export type StaleCounterView = z.infer<typeof StaleCounterView>;

export const RepairUsageBody = z.strictObject({
  customer: CustomerId,
  meter: z.string().min(1).max(100),
  hour: z.iso.datetime().describe('A full hour'),
  reason: Reason,
});
export type RepairUsageBody = z.infer<typeof RepairUsageBody>;

/** `difference` is what is reported to Stripe next. */
export const RepairUsageView = z.object({
  object: z.literal('usage_repair'),
  customer: z.string(),
  meter: z.string(),
  hour: z.iso.datetime(),
  local: decimal,
  remote: decimal,
  difference: decimal,
});
export type RepairUsageView = z.infer<typeof RepairUsageView>;
