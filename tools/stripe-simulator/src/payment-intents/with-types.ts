import { allowedTypes } from '../payment-methods/allowed-types.js';
import { type PaymentIntent } from './payment-intent.js';

/** The intent with the payment method types that fit its currency and capture method now, if Stripe picks them. */
export function withTypes(intent: PaymentIntent): PaymentIntent {
  if (intent.automatic_payment_methods === null) return intent;
  const { currency, capture_method: captureMethod, allowed_payment_method_types, excluded_payment_method_types } = intent;
  const types = allowedTypes({ allowed_payment_method_types, excluded_payment_method_types }, { currency, captureMethod, automatic: true });
  return { ...intent, payment_method_types: types };
}
