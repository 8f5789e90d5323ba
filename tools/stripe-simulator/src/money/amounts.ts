import { invalidParam } from '../http/errors.js';
import { type PaymentMethod } from '../payment-methods/payment-method.js';
import { currencyCodes, formatAmount, granularity, isCurrency, minimumAmount } from './currencies.js';

/** Most cards take twelve digits. */
const MAXIMUM_AMOUNT = 999_999_999_999;

/** Lower-cases and checks a three-letter code. */
export function checkedCurrency(code: string): string {
  const currency = code.toLowerCase();
  if (isCurrency(currency)) return currency;
  throw invalidParam(
    `Invalid currency: ${code.slice(0, 20)}. Stripe currently supports these currencies: ${currencyCodes().join(', ')}`,
    'currency',
  );
}

/** Checks the amount of a payment: positive, not below the currency's minimum, not above twelve digits, in whole steps. */
export function checkedAmount(amount: number, currency: string): number {
  if (amount < 1) throw invalidParam('This value must be greater than or equal to 1.', 'amount', 'parameter_invalid_integer');
  const minimum = minimumAmount(currency);
  if (amount < minimum) {
    throw invalidParam(`Amount must be at least ${formatAmount(minimum, currency)}`, 'amount', 'amount_too_small');
  }
  if (amount > MAXIMUM_AMOUNT) {
    throw invalidParam(`Amount must be no more than ${formatAmount(MAXIMUM_AMOUNT, currency)}`, 'amount', 'amount_too_large');
  }
  checkedStep(amount, currency, 'amount');
  return amount;
}

/** Cards of American Express take nine digits, bank debits eight (https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts). */
export function checkedMaximum(amount: number, currency: string, method: PaymentMethod): void {
  const digits = method.type !== 'card' ? 8 : method.card.brand === 'amex' ? 9 : 12;
  if (amount < 10 ** digits) return;
  throw invalidParam(`Amount must be no more than ${formatAmount(10 ** digits - 1, currency)}`, 'amount', 'amount_too_large');
}

/** Refuses amounts that the currency can't express. */
export function checkedStep(amount: number, currency: string, param: string): void {
  const step = granularity(currency);
  if (amount % step !== 0) {
    throw invalidParam(`Invalid integer: amounts in ${currency} must be divisible by ${step}.`, param, 'parameter_invalid_integer');
  }
}
