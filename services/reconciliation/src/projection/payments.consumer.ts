import { CheckoutSnapshot } from '@tidegate/contracts/checkout';
import { InvoiceSnapshot } from '@tidegate/contracts/invoice';
import { PaymentSnapshot } from '@tidegate/contracts/payment';
import { SubscriptionSnapshot } from '@tidegate/contracts/subscription';
import { factOf, SUBJECT_PREFIX_OF_OWNER } from '@tidegate/contracts/subjects';
import { sideBySide } from '@tidegate/database/side-by-side';
import { type Handler, type Incoming, PermanentFailure } from '@tidegate/messaging/subscriber';
import type { ZodType } from 'zod';
import { postPayments } from '../ledger/ledger.store.js';
import { recordInvoices, recordSubscriptions } from './recorded-billing.store.js';
import { recordCheckouts, recordPayments, type SnapshotPosition, type Told } from './recorded.store.js';

const PAYMENT_FACT = `${SUBJECT_PREFIX_OF_OWNER.payments}.payment.`;
const CHECKOUT_FACT = `${SUBJECT_PREFIX_OF_OWNER.payments}.checkout.`;
const SUBSCRIPTION_FACT = `${SUBJECT_PREFIX_OF_OWNER.payments}.subscription.`;
const INVOICE_FACT = `${SUBJECT_PREFIX_OF_OWNER.payments}.invoice.`;

/** Projects payments' published snapshots, and posts what they have moved. Other events of the stream (outcomes of Stripe events, breaker changes) are none of our business. */
export const paymentsProjector: Handler = {
  projector: true,
  handle: (tx, message) => paymentsProjector.handleAll!(tx, [message]),
  async handleAll(tx, messages) {
    const of = (fact: string): Incoming[] => messages.filter((message) => message.subject.startsWith(fact));
    const payments = of(PAYMENT_FACT).map((message) => ({
      message,
      shows: shownBy(message, PaymentSnapshot, 'a payment'),
      at: positionOf(message),
    }));
    if (payments.length > 0) {
      const told = payments.map(({ message, shows, at }) => ({
        payment: shows,
        cause: { ...at, id: message.messageId, fact: factOf(message.subject) },
      }));
      await sideBySide(
        () => recordPayments(tx, payments),
        () => postPayments(tx, told),
      );
    }
    const checkouts = toldBy(of(CHECKOUT_FACT), CheckoutSnapshot, 'a checkout');
    if (checkouts.length > 0) await recordCheckouts(tx, checkouts);
    const subscriptions = toldBy(of(SUBSCRIPTION_FACT), SubscriptionSnapshot, 'a subscription');
    if (subscriptions.length > 0) await recordSubscriptions(tx, subscriptions);
    const invoices = toldBy(of(INVOICE_FACT), InvoiceSnapshot, 'an invoice');
    if (invoices.length > 0) await recordInvoices(tx, invoices);
  },
};

const toldBy = <T>(messages: readonly Incoming[], schema: ZodType<T>, what: string): Told<T>[] =>
  messages.map((message) => ({ shows: shownBy(message, schema, what), at: positionOf(message) }));

/** Throws PermanentFailure. */
function shownBy<T>({ envelope }: Incoming, schema: ZodType<T>, what: string): T {
  const snapshot = schema.safeParse(envelope.data);
  if (!snapshot.success) throw new PermanentFailure(`not ${what} snapshot: ${snapshot.error.message}`);
  return snapshot.data;
}

const positionOf = ({ envelope, epoch }: Incoming): SnapshotPosition => ({
  tenant: envelope.tenant,
  epoch,
  version: envelope.aggregate.version,
  occurredAt: new Date(envelope.occurred_at),
});
