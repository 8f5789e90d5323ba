import { type Cause } from '../http/call.js';
import { type PaymentIntent } from '../payment-intents/payment-intent.js';
import { type World } from '../world.js';
import { countedAttempts } from './attempts.js';
import { changeInvoice } from './change.js';
import { failInvoice } from './fail.js';
import { settleInvoice } from './settle.js';

/** What an invoice does when its intent changes, whoever confirmed it: Stripe by itself, `pay`, or a client with the intent's secret. */
export function followIntent(world: World, intent: PaymentIntent, cause: Cause): void {
  const id = world.intentOwners.get(intent.id)?.invoice;
  const invoice = id === undefined ? undefined : world.invoices.get(id);
  if (invoice === undefined || (invoice.status !== 'open' && invoice.status !== 'uncollectible')) return;
  if (intent.status === 'succeeded') settleInvoice(world, invoice, { paid: intent.amount_received, elsewhere: false }, cause);
  if (intent.status === 'requires_action') {
    const waiting = changeInvoice(world, invoice, { attempted: true, attempt_count: countedAttempts(invoice, cause) }, cause);
    world.events.emit('invoice.payment_action_required', waiting, cause);
  }
  if (intent.status !== 'requires_payment_method' || intent.last_payment_error === null) return;
  const failed = failInvoice(world, invoice, cause);
  const { code } = intent.last_payment_error as { code?: string };
  if (code === 'authentication_required') world.events.emit('invoice.payment_action_required', failed, cause);
}
