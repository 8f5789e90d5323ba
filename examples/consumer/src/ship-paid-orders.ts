import { paymentSubject } from '@tidegate/contracts/events/payment';
import { PaymentSnapshot } from '@tidegate/contracts/payment';
import { type Handler, PermanentFailure } from '@tidegate/messaging/consumer';
import { sql } from 'kysely';

/** What the shop does when a payment has succeeded: orders a parcel. All other events pass by. */
export const shipPaidOrders: Handler = {
  async handle(tx, { subject, envelope }) {
    if (subject !== paymentSubject('succeeded')) return;
    const { data: payment, error } = PaymentSnapshot.safeParse(envelope.data);
    if (error) throw new PermanentFailure(`Not a payment as version 1 describes it: ${error.message}`);
    await sql`
      INSERT INTO shipments (payment_id, tenant, amount, currency)
      VALUES (${payment.payment_id}, ${envelope.tenant}, ${payment.amount_captured}, ${payment.currency})
      ON CONFLICT (payment_id) DO NOTHING`.execute(tx);
  },
};
