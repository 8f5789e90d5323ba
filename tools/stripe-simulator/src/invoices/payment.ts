import { type InvoicePayment } from '../invoice-payments/invoice-payment.js';
import { cancelIntent } from '../payment-intents/cancel.js';
import { type PaymentIntent } from '../payment-intents/payment-intent.js';
import { ALLOWED_FROM as INTENT_ALLOWED_FROM } from '../payment-intents/transitions.js';
import { type Cause } from '../http/call.js';
import { type World } from '../world.js';
import { type Invoice } from './invoice.js';

/** The default payment of an invoice; none when nothing was to be collected. */
export function paymentOf(world: World, invoice: Invoice): InvoicePayment | undefined {
  return world.invoicePayments.by('invoice', invoice.id).find(({ is_default: isDefault }) => isDefault);
}

/** The intent that pays an invoice. */
export function intentOf(world: World, invoice: Invoice): PaymentIntent | undefined {
  const payment = paymentOf(world, invoice);
  return payment && world.paymentIntents.get(payment.payment.payment_intent);
}

/** Nobody is to pay this invoice through its intent any more. */
export function withdrawPayment(world: World, invoice: Invoice, cause: Cause): void {
  const payment = paymentOf(world, invoice);
  if (payment?.status !== 'open') return;
  const now = world.clock.nowSeconds();
  world.invoicePayments.replace({
    ...payment,
    status: 'canceled',
    status_transitions: { ...payment.status_transitions, canceled_at: now },
  });
  const intent = intentOf(world, invoice);
  if (intent !== undefined && INTENT_ALLOWED_FROM.cancel.includes(intent.status)) cancelIntent(world, intent, 'void_invoice', cause);
}
