import type { CheckoutSessionObject } from '@tidegate/contracts/events/stripe-event/checkout-session';
import { commonOf } from './common.decide.js';
import { idOf, integer, type Json, text } from './read.decide.js';

export const normalizedCheckoutSession = (session: Json, fallbackId: string): CheckoutSessionObject => ({
  object: 'checkout.session',
  ...commonOf(session, fallbackId),
  amount: integer(session['amount_total']),
  currency: text(session['currency']),
  payment_status: text(session['payment_status']),
  mode: text(session['mode']),
  subscription: idOf(session['subscription']),
  invoice: idOf(session['invoice']),
  expires_at: integer(session['expires_at']),
});
