import type { Generated, GeneratedAlways } from 'kysely';

/** The schema `webhooks`, see migrations/. */
export interface WebhooksTables {
  stripe_events: StripeEventsTable;
  stripe_event_outcomes: StripeEventOutcomesTable;
  published_versions: { aggregate: string; version: number; tenant: string | null; customer: string | null };
  customer_tenants: { stripe_customer: string; tenant: string | null; learned_at: Date };
  nameless_events: { created: Date; stripe_event_id: string; aggregate: string; customer: string | null };
  erased_customers: { customer: string; erased_at: Date; due_at: Date | null; wishes: Generated<number> };
  replay_jobs: ReplayJobsTable;
  sweep_cursors: { name: string; swept_until: Date; epoch: number; updated_at: Generated<Date>; unlisted_seconds: Generated<number> };
  sweep_orders: SweepOrdersTable;
}

export interface StripeEventsTable {
  stripe_event_id: string;
  created: Date;
  event_type: string;
  object_id: string | null;
  tenant_hint: string | null;
  account: string | null;
  livemode: boolean;
  api_version: string | null;
  payload: Buffer;
  source: 'webhook' | 'thin' | 'sweep';
  traceparent: string | null;
  is_hint: Generated<boolean>;
  waits_for: string | null;
  /** Whom it is about or names; known once it is published. */
  customer: string | null;
  queue: GeneratedAlways<'delivered' | 'hint' | 'parked'>;
  received_at: Generated<Date>;
  published_at: Date | null;
  retry_at: Date | null;
  processing_outcome: Generated<string>;
  processing_error: string | null;
  attempts: Generated<number>;
  processed_at: Date | null;
  message_id: string | null;
  replay_job: string | null;
}

export interface SweepOrdersTable {
  id: string;
  since: Date;
  until: Date;
  swept_until: Date;
  found: Generated<number>;
  missed: Generated<number>;
  actor: string;
  reason: string;
  ordered_at: Date;
  finished_at: Date | null;
  lease_epoch: Generated<number>;
}

export interface ReplayJobsTable {
  id: string;
  status: Generated<'running' | 'stopped' | 'completed'>;
  tenant: string | null;
  /** A WebhookEventFilter. */
  filter: unknown;
  actor: string;
  reason: string;
  matched: number;
  more: boolean;
  taken: Generated<number>;
  cursor_created: Date | null;
  cursor_id: string | null;
  as_of: Generated<Date>;
  ordered_at: Date;
  finished_at: Date | null;
  lease_epoch: Generated<number>;
}

export interface StripeEventOutcomesTable {
  /** The event's. */
  created: Date;
  stripe_event_id: string;
  consumer: string;
  outcome: 'processed' | 'ignored' | 'foreign' | 'parked' | 'failed';
  reason: string | null;
  reported_at: Date;
}
