import type { PaymentDetails } from '@tidegate/contracts/rpc/payment-details';
import type { Tenant } from '@tidegate/contracts/rpc/routes';
import type { JSONColumnType } from 'kysely';

export interface ReceiptRow {
  receipt_id: string;
  tenant: string;
  payment_id: string;
  kind: 'receipt' | 'credit_note';
  series: string;
  year: number;
  sequence: number;
  number: string;
  amount: number;
  currency: string;
  issued_at: Date;
  status: 'issued' | 'rendered' | 'failed';
  error: string | null;
  sha256: string | null;
  template: string | null;
  engine: string | null;
  fonts: string | null;
}

/** The service's own tables; those of the event store and of messaging belong to their libs. */
export interface Tables {
  counters: { tenant: string; series: string; year: number; last: number };
  tenants: { id: string; data: JSONColumnType<Tenant>; fetched_at: Date };
  payers: { payment_id: string; tenant: string; details: JSONColumnType<PaymentDetails>; fetched_at: Date };
  erased_customers: { customer: string; erased_at: Date };
  receipts: ReceiptRow;
  documents: { receipt_id: string; sha256: string; pdf: Buffer; stored_at: Date };
  renderings: { receipt_id: string; attempts: number; due_at: Date; leased_until: Date };
}
