import { noPaymentDetails, type PaymentDetails } from '@tidegate/contracts/rpc/payment-details';
import type { ReceiptFacts } from '../src/document/receipt-facts.js';

export const someFacts = (changes: Partial<ReceiptFacts> = {}): ReceiptFacts => ({
  receipt_id: 'rcp_4f1c2b7a9d3e5f604f1c2b7a',
  number: 'R-2026-000042',
  series: 'R',
  year: 2026,
  sequence: 42,
  kind: 'receipt',
  payment_id: 'pay_4f1c2b7a9d3e5f60',
  amount: 42800,
  currency: 'usd',
  issued_at: '2026-11-21T06:00:01.000Z',
  tenant: 'default',
  zone: 'Europe/Dublin',
  locale: 'en',
  seller: { name: 'Harbour & Lane Coffee Roasters', legal_lines: ['12 Quayside, Dublin 2, Ireland', 'VAT IE1234567X'] },
  card: { brand: 'visa', last4: '4242' },
  livemode: false,
  template: 'receipt',
  ...changes,
});

export const someDetails = (changes: Partial<PaymentDetails> = {}): PaymentDetails => ({ ...noPaymentDetails, ...changes });
