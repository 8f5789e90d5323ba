import type { DiscrepancyClass, RunComparison, RunTrigger } from '@tidegate/contracts/responses';
import type { OfTenant } from './run/run.events.js';
import type { Generated, JSONColumnType } from 'kysely';
import type { Account } from './ledger/accounts.js';

/** The schema `reconciliation`, see migrations/. */
export interface ReconciliationTables {
  recorded_payments: RecordedPaymentsTable;
  recorded_refunds: RecordedRefundsTable;
  recorded_disputes: RecordedDisputesTable;
  recorded_checkouts: RecordedCheckoutsTable;
  recorded_subscriptions: RecordedSubscriptionsTable;
  recorded_invoices: RecordedInvoicesTable;
  recorded_receipts: RecordedReceiptsTable;
  stripe_objects: StripeObjectsTable;
  runs: RunsTable;
  discrepancies: DiscrepanciesTable;
  run_progress: RunProgressTable;
  run_seen: { run_id: string; object: string; object_id: string };
  run_suspects: RunSuspectsTable;
  repair_requests: { payment_id: string; asked: number; next_at: Date; last_answer: string | null };
  ledger_payments: { payment_id: string; epoch: number; version: number };
  ledger_entries: LedgerEntriesTable;
  balance_sweep: BalanceSweepTable;
  installation: { one: Generated<boolean>; installed_at: Generated<Date> };
}

export interface RecordedPaymentsTable {
  payment_id: string;
  tenant: string;
  status: string;
  amount: number;
  amount_captured: number;
  amount_refunded: number;
  currency: string;
  stripe_payment_intent: string | null;
  livemode: boolean;
  created_at: Date;
  updated_at: Date;
  epoch: number;
  version: number;
}

export interface RecordedRefundsTable {
  refund_id: string;
  payment_id: string;
  tenant: string;
  status: string;
  amount: number;
  currency: string;
  stripe_refund: string | null;
  first_told_at: Date;
  updated_at: Date;
  epoch: number;
  version: number;
}

export interface RecordedDisputesTable {
  dispute_id: string;
  payment_id: string;
  tenant: string;
  status: string;
  amount: number;
  currency: string;
  created_at: Date;
  updated_at: Date;
  epoch: number;
  version: number;
}

export interface RecordedCheckoutsTable {
  checkout_id: string;
  tenant: string;
  status: string;
  payment_status: string;
  payment_id: string | null;
  amount: number;
  currency: string;
  stripe_checkout_session: string | null;
  livemode: boolean;
  created_at: Date;
  updated_at: Date;
  epoch: number;
  version: number;
}

export interface RecordedSubscriptionsTable {
  subscription_id: string;
  tenant: string;
  status: string;
  items: JSONColumnType<{ id: string; price: string | null; quantity: number | null }[]>;
  current_period_end: Date | null;
  cancel_at_period_end: boolean;
  livemode: boolean;
  created_at: Date;
  updated_at: Date;
  epoch: number;
  version: number;
}

export interface RecordedInvoicesTable {
  invoice_id: string;
  tenant: string;
  status: string;
  amount_due: number;
  amount_paid: number;
  amount_remaining: number;
  currency: string;
  attempt_count: number;
  next_payment_attempt: Date | null;
  payment_intents: string[];
  livemode: boolean;
  created_at: Date;
  updated_at: Date;
  epoch: number;
  version: number;
}

export interface RecordedReceiptsTable {
  receipt_id: string;
  payment_id: string;
  tenant: string;
  kind: string;
  number: string;
  issued_at: Date;
}

export interface StripeObjectsTable {
  object_id: string;
  object: string;
  status: string | null;
  payment_intent: string | null;
  payment_id: string | null;
  tenant: string;
  amount: number | null;
  amount_captured: number | null;
  amount_refunded: number | null;
  currency: string | null;
  livemode: boolean;
  stripe_created: Date | null;
  standing: number;
  as_of: Date;
  status_rank: number;
  event_id: string;
}

export interface LedgerEntriesTable {
  transaction_id: string;
  line: number;
  tenant: string;
  account: Account;
  currency: string;
  amount: number;
  reference: string;
  payment_id: string | null;
  event: string;
  occurred_at: Date;
}

export interface BalanceSweepTable {
  one: Generated<boolean>;
  read_to: Date | null;
  pass_to: Date | null;
  pass_after: string | null;
  fees_pending: Generated<number>;
  fees_pending_since: Date | null;
}

export interface RunsTable {
  run_id: string;
  tenant: string;
  status: 'running' | 'succeeded' | 'failed';
  mode: 'report' | 'repair';
  start_date: string;
  end_date: string;
  classes: string[] | null;
  reason: string;
  actor: string;
  request_hash: string;
  pages: number;
  objects: number;
  counts: JSONColumnType<Record<string, number>>;
  failure: string | null;
  created_at: Date;
  finished_at: Date | null;
  trigger: Generated<RunTrigger>;
  period_start: Date | null;
  period_end: Date | null;
  comparison: JSONColumnType<RunComparison> | null;
  of_tenants: JSONColumnType<Record<string, OfTenant>> | null;
}

export interface RunProgressTable {
  run_id: string;
  attempts: number;
  excused: Generated<number>;
  pages: number;
  objects: number;
  until: Date | null;
  started_at: Generated<Date>;
  phase: Generated<string>;
  kind: string | null;
  cursor: string | null;
  done: Generated<number>;
  tallies: JSONColumnType<Record<string, number>>;
}

export interface RunSuspectsTable {
  run_id: string;
  object: string;
  key: string;
  number: Generated<number>;
  tenant: string;
  local_id: string | null;
  stripe_id: string | null;
  findings: unknown;
  made_at: Date | null;
  since: Date | null;
  settled: Generated<boolean>;
  outcomes: unknown;
}

export interface DiscrepanciesTable {
  run_id: string;
  number: number;
  tenant: string;
  class: DiscrepancyClass;
  object: string;
  local_id: string | null;
  payment_id: string | null;
  stripe_id: string | null;
  local: string | null;
  remote: string | null;
  first_seen: Date;
  found_at: Date;
  proposed_repair: string | null;
  applied: boolean;
  reason: string | null;
  made_at: Date | null;
  state: Generated<'new' | 'persisting'>;
}
