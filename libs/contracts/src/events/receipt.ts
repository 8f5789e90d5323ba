import { z } from 'zod';
import { defineEvent } from '../envelope.js';

/** What fixed a receipt; a rebuild reads numbers from here. `year` is the issue date's in the tenant's zone. */
export const ReceiptIssued = z.object({
  receipt_id: z.string(),
  number: z.string(),
  series: z.string(),
  year: z.int(),
  sequence: z.int().positive(),
  kind: z.enum(['receipt', 'credit_note']),
  payment_id: z.string(),
  amount: z.int(),
  currency: z.string(),
  issued_at: z.iso.datetime(),
  /** Of a credit note: the receipt that it takes back, in whole or in part. */
  refers_to: z.object({ receipt_id: z.string(), number: z.string() }).optional(),
  /** Of a credit note: the refund that it is for, by our id. */
  refund: z.object({ id: z.string() }).optional(),
});
export type ReceiptIssued = z.infer<typeof ReceiptIssued>;

export const receiptIssued = defineEvent({
  subject: 'receipts.events.receipt.issued.v1',
  version: 1,
  doc: 'A receipt got its number; the PDF follows.',
  data: ReceiptIssued,
  example: {
    receipt_id: 'rcp_4f1c2b7a9d3e5f60',
    number: 'R-2026-000001',
    series: 'R',
    year: 2026,
    sequence: 1,
    kind: 'receipt' as const,
    payment_id: 'pay_4f1c2b7a9d3e5f60',
    amount: 4200,
    currency: 'usd',
    issued_at: '2026-11-21T06:00:01.000Z',
  },
});

export const ReceiptRendered = z.object({
  receipt_id: z.string(),
  payment_id: z.string(),
  number: z.string(),
  kind: z.enum(['receipt', 'credit_note']).optional(),
  sha256: z.string(),
  template: z.string(),
  engine: z.string(),
});
export type ReceiptRendered = z.infer<typeof ReceiptRendered>;

export const receiptRendered = defineEvent({
  subject: 'receipts.events.receipt.rendered.v1',
  version: 1,
  doc: 'The PDF of a receipt exists; the hash is of its bytes.',
  data: ReceiptRendered,
  example: {
    receipt_id: 'rcp_4f1c2b7a9d3e5f60',
    payment_id: 'pay_4f1c2b7a9d3e5f60',
    number: 'R-2026-000001',
    kind: 'receipt' as const,
    sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    template: 'receipt@1',
    engine: 'typst 0.14',
  },
});

export const ReceiptVoided = z.object({
  receipt_id: z.string(),
  payment_id: z.string(),
  number: z.string(),
  kind: z.enum(['receipt', 'credit_note']),
  refund: z.object({ id: z.string() }).optional(),
  voided_at: z.iso.datetime(),
});
export type ReceiptVoided = z.infer<typeof ReceiptVoided>;

export const receiptVoided = defineEvent({
  subject: 'receipts.events.receipt.voided.v1',
  version: 1,
  doc: 'A credit note counts no more, because its refund failed after all. Its number stays taken.',
  data: ReceiptVoided,
  example: {
    receipt_id: 'rcp_c0ffee00c0ffee00',
    payment_id: 'pay_4f1c2b7a9d3e5f60',
    number: 'CN-2026-000001',
    kind: 'credit_note' as const,
    refund: { id: 'rfd_4f1c2b7a9d3e5f60' },
    voided_at: '2026-11-24T06:00:01.000Z',
  },
});
