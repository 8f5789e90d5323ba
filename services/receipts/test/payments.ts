import type { Envelope } from '@tidegate/contracts/envelope';
import { customerErased, type CustomerErased } from '@tidegate/contracts/events/customer';
import { paymentSubject } from '@tidegate/contracts/events/payment';
import { examplePaymentSnapshot, type PaymentSnapshot } from '@tidegate/contracts/payment';
import { noPaymentDetails, type PaymentDetails } from '@tidegate/contracts/rpc/payment-details';
import type { Tenant } from '@tidegate/contracts/rpc/routes';
import { envelope } from '@tidegate/messaging/outbox';
import type { Kysely } from 'kysely';
import type { Tables } from '../src/tables.js';

export const berlin: Tenant = {
  id: 'default',
  name: 'Hafenrösterei',
  zone: 'Europe/Berlin',
  locale: 'en',
  legal_lines: ['Am Kai 12, Hamburg'],
};
export const tokyo: Tenant = { id: 'other', name: 'Kissa', zone: 'Asia/Tokyo', locale: 'en', legal_lines: [] };

export const payment = (n: number, changes: Partial<PaymentSnapshot> = {}): PaymentSnapshot => ({
  ...examplePaymentSnapshot,
  payment_id: `pay_${String(n).padStart(16, '0')}`,
  amount: 1000 + n,
  amount_captured: 1000 + n,
  ...changes,
});

export const succeeded = (data: PaymentSnapshot, tenant = 'default'): Envelope<PaymentSnapshot> =>
  envelope(paymentSubject('succeeded'), {
    tenant,
    aggregateId: data.payment_id,
    aggregateVersion: 2,
    occurredAt: new Date(data.updated_at),
    correlationId: `cor_${data.payment_id}`,
    causationId: null,
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    data,
  });

export const erased = (customer: string): Envelope<CustomerErased> =>
  envelope(customerErased, {
    tenant: 'default',
    aggregateId: customer,
    aggregateVersion: 1,
    occurredAt: new Date('2026-11-21T07:00:00.000Z'),
    correlationId: `cor_${customer}`,
    causationId: null,
    traceparent: null,
    data: { customer, erased_at: '2026-11-21T07:00:00.000Z', livemode: false },
  });

/** As if payments had been asked for these before. */
export async function knowPayers(
  db: Kysely<Tables>,
  payments: readonly PaymentSnapshot[],
  details: PaymentDetails = noPaymentDetails,
): Promise<void> {
  const rows = payments.map(({ payment_id }) => ({
    payment_id,
    tenant: 'default',
    details: JSON.stringify(details),
    fetched_at: new Date(),
  }));
  if (rows.length > 0) await db.insertInto('payers').values(rows).execute();
}
