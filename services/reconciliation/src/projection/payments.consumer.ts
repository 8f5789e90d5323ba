import { CheckoutSnapshot } from '@tidegate/contracts/checkout';
import { InvoiceSnapshot } from '@tidegate/contracts/invoice';
import { PaymentSnapshot } from '@tidegate/contracts/payment';
import { SubscriptionSnapshot } from '@tidegate/contracts/subscription';
import { factOf, SUBJECT_PREFIX_OF_OWNER } from '@tidegate/contracts/subjects';
import { type Handler, type Incoming, PermanentFailure } from '@tidegate/messaging/subscriber';
import { postPayment } from '../ledger/ledger.store.js';
import { recordInvoice, recordSubscription } from './recorded-billing.store.js';
import { recordCheckout, recordPayment, type SnapshotPosition } from './recorded.store.js';

const PAYMENT_FACT = `${SUBJECT_PREFIX_OF_OWNER.payments}.payment.`;
const CHECKOUT_FACT = `${SUBJECT_PREFIX_OF_OWNER.payments}.checkout.`;
const SUBSCRIPTION_FACT = `${SUBJECT_PREFIX_OF_OWNER.payments}.subscription.`;
const INVOICE_FACT = `${SUBJECT_PREFIX_OF_OWNER.payments}.invoice.`;

/** Projects payments' published snapshots, and posts what they have moved. Other events of the stream (outcomes of Stripe events, breaker changes) are none of our business. */
export const paymentsProjector: Handler = {
  projector: true,
  async handle(tx, message) {
    if (message.subject.startsWith(PAYMENT_FACT)) {
      const snapshot = PaymentSnapshot.safeParse(message.envelope.data);
      if (!snapshot.success) throw new PermanentFailure(`not a payment snapshot: ${snapshot.error.message}`);
      const at = positionOf(message);
      await recordPayment(tx, snapshot.data, at);
      await postPayment(tx, snapshot.data, { ...at, id: message.messageId, fact: factOf(message.subject) });
    } else if (message.subject.startsWith(CHECKOUT_FACT)) {
      const snapshot = CheckoutSnapshot.safeParse(message.envelope.data);
      if (!snapshot.success) throw new PermanentFailure(`not a checkout snapshot: ${snapshot.error.message}`);
      await recordCheckout(tx, snapshot.data, positionOf(message));
    } else if (message.subject.startsWith(SUBSCRIPTION_FACT)) {
      const snapshot = SubscriptionSnapshot.safeParse(message.envelope.data);
      if (!snapshot.success) throw new PermanentFailure(`not a subscription snapshot: ${snapshot.error.message}`);
      await recordSubscription(tx, snapshot.data, positionOf(message));
    } else if (message.subject.startsWith(INVOICE_FACT)) {
      const snapshot = InvoiceSnapshot.safeParse(message.envelope.data);
      if (!snapshot.success) throw new PermanentFailure(`not an invoice snapshot: ${snapshot.error.message}`);
      await recordInvoice(tx, snapshot.data, positionOf(message));
    }
  },
};

const positionOf = ({ envelope, epoch }: Incoming): SnapshotPosition => ({
  tenant: envelope.tenant,
  epoch,
  version: envelope.aggregate.version,
  occurredAt: new Date(envelope.occurred_at),
});
