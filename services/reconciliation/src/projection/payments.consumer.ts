import { PaymentSnapshot } from '@tidegate/contracts/payment';
import { factOf, SUBJECT_PREFIX_OF_OWNER } from '@tidegate/contracts/subjects';
import { type Handler, PermanentFailure } from '@tidegate/messaging/subscriber';
import { postPayment } from '../ledger/ledger.store.js';
import { recordPayment } from './recorded.store.js';

const PAYMENT_FACT = `${SUBJECT_PREFIX_OF_OWNER.payments}.payment.`;

/** Projects payments' published snapshots, and posts what they have moved. Other events of the stream (outcomes of Stripe events, breaker changes) are none of our business. */
export const paymentsProjector: Handler = {
  projector: true,
  async handle(tx, message) {
    if (!message.subject.startsWith(PAYMENT_FACT)) return;
    const snapshot = PaymentSnapshot.safeParse(message.envelope.data);
    if (!snapshot.success) throw new PermanentFailure(`not a payment snapshot: ${snapshot.error.message}`);
    const { tenant, aggregate, occurred_at } = message.envelope;
    const at = { tenant, epoch: message.epoch, version: aggregate.version, occurredAt: new Date(occurred_at) };
    await recordPayment(tx, snapshot.data, at);
    await postPayment(tx, snapshot.data, { ...at, id: message.messageId, fact: factOf(message.subject) });
  },
};
