import { type CheckoutPaymentStatus, type CheckoutStatus, type LateSuccess } from '@tidegate/contracts/checkout';
import { type DisputeSnapshot, type RefundSnapshot } from '@tidegate/contracts/payment';
import { type DunningState, type SubscriptionItem } from '@tidegate/contracts/subscription';
import { type Incoming } from '@tidegate/messaging/incoming';
import { type ColumnType, type JSONColumnType } from 'kysely';
import { type Customer } from './customer/customer.decide.js';
import { type EventDetails } from './event-details/event-details.decide.js';
import { type Command } from './subscription/command.decide.js';
import { type Card, type Failure, type Terms } from './payment/payment.events.js';

/** The schema `payments`, see migrations/. */
export interface PaymentsTables {
  payments: PaymentsTable;
  idempotency_keys: IdempotencyKeysTable;
  payment_work: PaymentWorkTable;
  request_details: { command_id: string; payment_id: string; details: JSONColumnType<RequestDetails> };
  checkouts: CheckoutsTable;
  customers: CustomersTable;
  parked_news: { message_id: string; parent: string; message: JSONColumnType<Incoming>; parked_at: Date };
  subscriptions: SubscriptionsTable;
  invoices: InvoicesTable;
  subscription_commands: SubscriptionCommandsTable;
  /** Of this database from backups: what was done between the two instants is not on record. */
  restores: { restored_at: Date; restore_point: Date };
  payment_receipts: { payment_id: string; receipt_id: string; kind: string };
}

export interface PaymentsTable {
  id: string;
  tenant: string;
  version: number;
  status: string;
  amount: number;
  amount_captured: number;
  amount_refunded: number;
  currency: string;
  capture_method: Terms['capture_method'];
  stripe_payment_intent: string | null;
  stripe_charge: string | null;
  customer: string | null;
  card: JSONColumnType<Card | null>;
  failure: JSONColumnType<Failure | null>;
  cancellation_reason: string | null;
  refunds: JSONColumnType<RefundRow[]>;
  disputes: JSONColumnType<DisputeSnapshot[]>;
  metadata: JSONColumnType<Record<string, string>>;
  origin: Terms['origin'];
  livemode: boolean;
  created_at: Date;
  updated_at: Date;
  status_since: Date;
}

export type RefundRow = RefundSnapshot & { created_at: string; failure?: { code: string; message: string } | null };

export interface IdempotencyKeysTable {
  tenant: string;
  route: string;
  key: string;
  request_hash: string;
  command_id: string;
  payment_id: string;
  request_id: string;
  status: number | null;
  content_type: string | null;
  body: string | null;
  created_at: Date;
  answered_at: Date | null;
}

export interface PaymentWorkTable {
  payment_id: string;
  holder: string | null;
  lease_until: Date | null;
  due_at: Date | null;
  attempt: number;
  revision: number;
  refresh: boolean;
  asked_at: Date | null;
  since: Date;
  waits_for: string | null;
  not_before: Date | null;
  woken: string | null;
  /** Whose it is; '' where that was not said. Only of payments does it matter. */
  tenant: ColumnType<string, string | undefined, never>;
  /** From the id: pay, cks, cst, sbc, sub, in. */
  kind: ColumnType<string, never, never>;
}

export interface CheckoutsTable {
  id: string;
  tenant: string;
  version: number;
  status: CheckoutStatus;
  payment_status: CheckoutPaymentStatus;
  late_success: LateSuccess | null;
  amount: number;
  currency: string;
  customer: string | null;
  stripe_session: string | null;
  stripe_sessions: string[];
  url: string | null;
  payment_id: string | null;
  payment_intent: string | null;
  failure: JSONColumnType<{ code: string; message: string } | null>;
  window_ends_at: Date;
  metadata: JSONColumnType<Record<string, string>>;
  livemode: boolean;
  created_at: Date;
  updated_at: Date;
}

export type CustomersTable = Omit<Customer, 'metadata'> & { metadata: JSONColumnType<Record<string, string>> };

export interface SubscriptionCommandsTable {
  id: string;
  command_id: string;
  tenant: string;
  kind: Command['kind'];
  subscription: string | null;
  invoice: string | null;
  request: JSONColumnType<Command['request']>;
  params: JSONColumnType<NonNullable<Command['params']> | null>;
  state: Command['state'];
  step: Command['step'];
  call_n: number;
  call_since: Date;
  call_answer: Command['call_answer'];
  call_stored: boolean;
  absent_since: Date | null;
  version: number;
  created_at: Date;
}

/** Times are written as RFC 3339. */
type Time = ColumnType<Date, string, string>;
type MaybeTime = ColumnType<Date | null, string | null, string | null>;

export interface SubscriptionsTable {
  id: string;
  tenant: string;
  version: number;
  status: string;
  customer: string | null;
  currency: string | null;
  items: JSONColumnType<SubscriptionItem[]>;
  current_period_start: MaybeTime;
  current_period_end: MaybeTime;
  trial_end: MaybeTime;
  cancel_at: MaybeTime;
  cancel_at_period_end: boolean;
  canceled_at: MaybeTime;
  cancellation_reason: string | null;
  ended_at: MaybeTime;
  collection_method: string | null;
  latest_invoice: string | null;
  collection_paused: boolean;
  livemode: boolean;
  created_at: Time;
  updated_at: Time;
  status_since: Time;
  seen_at: Time;
}

export interface InvoicesTable {
  id: string;
  tenant: string;
  version: number;
  status: string;
  number: string | null;
  customer: string | null;
  subscription: string | null;
  billing_reason: string | null;
  collection_method: string | null;
  amount: number;
  amount_due: number;
  amount_paid: number;
  amount_remaining: number;
  currency: string;
  attempt_count: number;
  next_payment_attempt: MaybeTime;
  due_date: MaybeTime;
  period_start: MaybeTime;
  period_end: MaybeTime;
  payment_intents: string[];
  dunning: DunningState | null;
  failure: JSONColumnType<{ code: string; decline_code: string | null; message: string } | null>;
  livemode: boolean;
  created_at: Time;
  updated_at: Time;
  status_since: Time;
  seen_at: Time;
}

/** What a request said beyond the facts of the payment, and what stands beside its events; may be about a person. */
export interface RequestDetails extends EventDetails {
  description?: string;
  receipt_email?: string;
  return_url?: string;
  off_session?: boolean;
  setup_future_usage?: 'on_session' | 'off_session';
  success_url?: string;
  cancel_url?: string;
  locale?: string;
  line_items?: {
    name: string;
    quantity: number;
    unit_amount: number;
    tax_amount?: number | undefined;
    discount_amount?: number | undefined;
  }[];
}
