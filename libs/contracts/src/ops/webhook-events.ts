import { z } from 'zod';
import { NormalizedStripeEvent } from '../events/stripe-event.js';
import { WebhookEventView } from '../responses.js';
import { Reason } from './reason.js';

/** What became of a stored event: `received` waits to be published, `published` waits for its consumers, the rest is what they made of it. */
export const WEBHOOK_EVENT_STATUSES = ['received', 'published', 'processed', 'ignored', 'foreign', 'parked', 'failed'] as const;
export const WebhookEventStatus = z.enum(WEBHOOK_EVENT_STATUSES);
export type WebhookEventStatus = z.infer<typeof WebhookEventStatus>;

export const STRIPE_EVENT_ID = /^evt_[A-Za-z0-9_]{3,250}$/;
export const EventType = z.string().regex(/^[a-z0-9_.]{1,100}$/);
export const StripeObjectId = z.string().regex(/^[a-z]{2,12}_[A-Za-z0-9_]{3,250}$/);

/** An event with the way it came and went. */
export const OperatorEventView = WebhookEventView.extend({
  tenant: z.string(),
  /** `webhook` and `thin` were delivered, `sweep` was found in Stripe's list. */
  source: z.enum(['webhook', 'thin', 'sweep']),
  account: z.string().nullable(),
  livemode: z.boolean(),
  api_version: z.string().nullable(),
  /** How often it was published or tried to. */
  attempts: z.int(),
  published_at: z.iso.datetime().nullable(),
  processed_at: z.iso.datetime().nullable(),
  /** When it is tried again; null unless it could not be published. */
  retry_at: z.iso.datetime().nullable(),
  /** The replay that took it last. */
  replay: z.string().nullable(),
});
export type OperatorEventView = z.infer<typeof OperatorEventView>;

/** What one consumer made of it. */
export const ConsumerOutcome = z.object({
  consumer: z.string(),
  outcome: z.enum(['processed', 'ignored', 'foreign', 'parked', 'failed']),
  reason: z.string().nullable(),
  at: z.iso.datetime(),
});
export type ConsumerOutcome = z.infer<typeof ConsumerOutcome>;

export const OperatorEventDetail = OperatorEventView.extend({
  outcomes: z.array(ConsumerOutcome),
  /** Our words for what Stripe sent, without secrets; null when it cannot be read. Of a hint it shows what was sent, not what was retrieved. */
  event: NormalizedStripeEvent.nullable(),
});
export type OperatorEventDetail = z.infer<typeof OperatorEventDetail>;

/** Which events; an empty filter means all of them. */
export const WebhookEventFilter = z.strictObject({
  status: WebhookEventStatus.optional(),
  type: EventType.optional(),
  /** As the metadata of Stripe's objects may name it. */
  tenant: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/)
    .optional(),
  object_id: StripeObjectId.optional(),
  created_gte: z.iso.datetime().optional(),
  created_lt: z.iso.datetime().optional(),
  ids: z.array(z.string().regex(STRIPE_EVENT_ID)).min(1).max(100).optional(),
});
export type WebhookEventFilter = z.infer<typeof WebhookEventFilter>;

export const ReplayEventsBody = z.strictObject({ filter: WebhookEventFilter, dry_run: z.boolean().optional(), reason: Reason });
export type ReplayEventsBody = z.infer<typeof ReplayEventsBody>;

/** What a replay would take, and the job that takes it. */
export const ReplayOrderView = z.object({
  object: z.literal('webhook_replay_order'),
  dry_run: z.boolean(),
  /** Events that the filter means; with `more` there are at least so many. */
  matched: z.int(),
  more: z.boolean(),
  /** Events that are now waiting for the job; 0 in a preview. */
  queued: z.int(),
  /** Follow it at `/v1/webhook-replays/{id}`; null when nothing was ordered. */
  job: z.string().nullable(),
  by_status: z.array(z.object({ status: WebhookEventStatus, count: z.int() })),
  by_type: z.array(z.object({ type: z.string(), count: z.int() })),
  /** Stripe's time of the first and the last of them. */
  oldest: z.iso.datetime().nullable(),
  newest: z.iso.datetime().nullable(),
  /** Ids of the filter that are not stored here. */
  not_found: z.array(z.string()),
});
export type ReplayOrderView = z.infer<typeof ReplayOrderView>;

export const REPLAY_STATUSES = ['running', 'stopped', 'completed'] as const;
export const REPLAY_ID = /^rpl_[A-Za-z0-9]{8,64}$/;

export const ReplayView = z.object({
  id: z.string(),
  object: z.literal('webhook_replay'),
  status: z.enum(REPLAY_STATUSES),
  filter: WebhookEventFilter,
  actor: z.string(),
  reason: z.string(),
  ordered_at: z.iso.datetime(),
  finished_at: z.iso.datetime().nullable(),
  matched: z.int(),
  more: z.boolean(),
  /** Events that it has taken so far, oldest first; another replay may have taken some of those that matched. */
  taken: z.int(),
  /** Of these, the ones that are still to be published. */
  waiting: z.int(),
  /** How those that it took stand now. */
  by_status: z.array(z.object({ status: WebhookEventStatus, count: z.int() })),
});
export type ReplayView = z.infer<typeof ReplayView>;
