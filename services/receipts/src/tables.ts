import type { PaymentDetails } from '@tidegate/contracts/rpc/payment-details';
import type { Tenant } from '@tidegate/contracts/rpc/routes';
import type { Generated, JSONColumnType } from 'kysely';
import type { DisputeShown } from './document/payment-standing.js';

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
  refund_id: string | null;
  refers_to: string | null;
  voided_at: Date | null;
  wanted_at: Date | null;
  input: string | null;
  verification: string | null;
  mail: 'none' | 'due' | 'sending' | 'sent' | 'refused' | 'unknown';
  mails: number;
  mailed_at: Date | null;
  mail_error: string | null;
}

interface LeaseRow {
  receipt_id: string;
  attempts: number;
  due_at: Date;
  leased_until: Date;
}

/** The service's own tables; those of the event store and of messaging belong to their libs. */
export interface Tables {
  counters: { tenant: string; series: string; year: number; last: number; last_at: Generated<Date | null> };
  tenants: { id: string; data: JSONColumnType<Tenant>; fetched_at: Date };
  payers: { payment_id: string; tenant: string; details: JSONColumnType<PaymentDetails>; fetched_at: Date };
  erased_customers: { customer: string; erased_at: Date };
  receipts: ReceiptRow;
  documents: { receipt_id: string; sha256: string; pdf: Buffer; stored_at: Date };
  former_documents: { receipt_id: string; sha256: string; pdf: Buffer; stored_at: Date };
  renderings: LeaseRow;
  mailings: LeaseRow;
  standings: { payment_id: string; version: number; refunded: number; dispute: DisputeShown | null };
  logos: { sha256: string; png: Buffer; stored_at: Date };
  link_keys: { id: Generated<number>; secret: string; made_at: Generated<Date> };
}
