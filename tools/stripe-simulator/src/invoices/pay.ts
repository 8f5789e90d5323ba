import { type Call } from '../http/call.js';
import { StripeError, coded, invalidParam, refused } from '../http/errors.js';
import { usablePaymentMethod } from '../payment-methods/use.js';
import { type World } from '../world.js';
import { chargeInvoice, methodFor } from './collect.js';
import { finalizeInvoice } from './finalize.js';
import { invoiceById, mustAllow } from './find.js';
import { type Invoice } from './invoice.js';
import { intentOf, withdrawPayment } from './payment.js';
import { settleInvoice } from './settle.js';

/**
 * `POST …/pay`: now, outside the normal schedule; or notes that it was paid elsewhere. A draft is finalized first. A payer whom the bank wants to see is asked, unless
 * `off_session` says that nobody is there: `stripe trigger invoice.payment_action_required` does not send it.
 */
export function payInvoice(world: World, { id, params, cause }: Call): Invoice {
  const before = invoiceById(world, id);
  mustAllow('pay', before);
  const elsewhere = params['paid_out_of_band'] === true;
  const named = params['payment_method'] as string | undefined;
  if (elsewhere && named !== undefined)
    throw invalidParam('You may only specify one of these parameters: paid_out_of_band, payment_method.', 'payment_method');
  const method = named === undefined ? methodFor(world, before) : usablePaymentMethod(world, named, before.customer).id;
  if (!elsewhere && method === undefined && before.amount_due > 0) throw refused(NO_METHOD, undefined);
  const open = before.status === 'draft' ? finalizeInvoice(world, before, cause) : before;
  if (open.status === 'paid') return open;
  if (elsewhere) {
    withdrawPayment(world, open, cause);
    return settleInvoice(world, open, { paid: 0, elsewhere: true }, cause);
  }
  const after = chargeInvoice(world, open, method ?? '', cause, params['off_session'] === true);
  if (intentOf(world, after)?.status === 'requires_action') throw actionRequired();
  return after;
}

/** 402 although the invoice has changed: the customer has to authenticate (https://docs.stripe.com/error-codes). */
function actionRequired(): StripeError {
  return new StripeError(402, { type: 'card_error', ...coded('invoice_payment_intent_requires_action'), message: ACTION_REQUIRED });
}

const ACTION_REQUIRED =
  'This payment requires additional user action before it can be completed successfully. Payment can be completed using the PaymentIntent associated with the invoice.';

const NO_METHOD = 'There is no `default_payment_method` set on this Customer or Invoice. Please set a `default_payment_method`.';
