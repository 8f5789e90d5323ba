import { paymentSubject } from '@tidegate/contracts/events/payment';
import { PaymentSnapshot } from '@tidegate/contracts/payment';
import { type Handler, PermanentFailure } from '@tidegate/messaging/consumer';
import { sql } from 'kysely';

/**
 * What the shop does when a payment that it made over the API has succeeded: orders a parcel. All other events pass by: the stream carries every tenant, and
 * checkouts, subscriptions and the dashboard make payments, too.
 */
export const shipPaidOrders = (tenant: string): Handler => ({
  async handle(tx, { subject, envelope }) {
    if (subject !== paymentSubject('succeeded') || envelope.tenant !== tenant) return;
    const { data: payment, error } = PaymentSnapshot.safeParse(envelope.data);
    if (error) throw new PermanentFailure(`Not a payment as version 1 describes it: ${error.message}`);
    if (payment.origin !== 'api') return;
    await sql`
      INSERT INTO shipments (payment_id, tenant, amount, currency)
      VALUES (${payment.payment_id}, ${tenant}, ${payment.amount_captured}, ${payment.currency})
      ON CONFLICT (payment_id) DO NOTHING`.execute(tx);
  },
});
