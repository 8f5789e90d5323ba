import type { Generated, GeneratedAlways } from 'kysely';

/** The schema `webhooks`, see migrations/. */
export interface WebhooksTables {
  stripe_events: StripeEventsTable;
  stripe_event_outcomes: StripeEventOutcomesTable;
  published_versions: { aggregate: string; version: number; tenant: string | null };
  customer_tenants: { stripe_customer: string; tenant: string | null; learned_at: Date };
  sweep_cursors: { name: string; swept_until: Date; epoch: number; updated_at: Generated<Date> };
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
  queue: GeneratedAlways<'delivered' | 'hint' | 'parked'>;
  received_at: Generated<Date>;
  published_at: Date | null;
  retry_at: Date | null;
  processing_outcome: Generated<string>;
  processing_error: string | null;
  attempts: Generated<number>;
  processed_at: Date | null;
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
