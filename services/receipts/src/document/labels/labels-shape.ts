import type { DisputeShown } from '../payment-standing.js';

/** The fixed words of a receipt and a credit note in one language. A language is added by adding its file to `labels.ts`. */
export interface Labels {
  receipt: string;
  credit_note: string;
  amount_paid: string;
  amount_credited: string;
  paid_on: (date: string) => string;
  credited_on: (date: string) => string;
  receipt_number: string;
  credit_note_number: string;
  refers_to: string;
  issued_on: string;
  paid_with: string;
  refunded_to: string;
  payment: string;
  refund: string;
  reason: string;
  billed_to: string;
  for: string;
  item: string;
  /** Names the one line of a payment that came without line items and description. */
  payment_line: string;
  refund_line: (receipt: string) => string;
  quantity: string;
  unit_price: string;
  amount: string;
  subtotal: string;
  discount: string;
  tax: string;
  items_total: string;
  total_paid: string;
  total_credited: string;
  refunded: string;
  after_refunds: string;
  carried_forward: string;
  brought_forward: string;
  tax_id: string;
  page: string;
  test_mode: string;
  void: string;
  voided_on: (date: string) => string;
  dispute: Readonly<Record<DisputeShown, string>>;
  verify: string;
  verify_how: string;
  valid: string;
}
