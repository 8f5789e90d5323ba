import { PaymentSnapshot } from '@tidegate/contracts/payment';
import { SUBJECT_PREFIX_OF_OWNER } from '@tidegate/contracts/subjects';
import { type Handler, PermanentFailure } from '@tidegate/messaging/subscriber';
import { recordPayment } from './recorded.store.js';

const PAYMENT_FACT = `${SUBJECT_PREFIX_OF_OWNER.payments}.payment.`;

/** Projects payments' published snapshots. Other events of the stream (outcomes of Stripe events, breaker changes) are none of our business. */
export const paymentsProjector: Handler = {
  projector: true,
  async handle(tx, message) {
    if (!message.subject.startsWith(PAYMENT_FACT)) return;
    const snapshot = PaymentSnapshot.safeParse(message.envelope.data);
    if (!snapshot.success) throw new PermanentFailure(`not a payment snapshot: ${snapshot.error.message}`);
    await recordPayment(tx, snapshot.data, {
      tenant: message.envelope.tenant,
      epoch: message.epoch,
      version: message.envelope.aggregate.version,
      occurredAt: new Date(message.envelope.occurred_at),
    });
  },
};
