import { currencyOf } from './currency.js';

export type AmountFault =
  | { fault: 'currency_unsupported'; currency: string }
  | { fault: 'too_small'; minimum: bigint }
  | { fault: 'too_large'; maximum: bigint }
  | { fault: 'not_divisible'; step: bigint };

/** Whether `amount` minor units of `currency` (lower case) can be charged; null when it can, else the first thing wrong with it. */
export function chargeFault(amount: bigint, currency: string): AmountFault | null {
  const known = currencyOf(currency);
  if (!known) return { fault: 'currency_unsupported', currency };
  if (amount < known.minimum || amount < 1n) return { fault: 'too_small', minimum: known.minimum };
  if (amount > known.maximum) return { fault: 'too_large', maximum: known.maximum };
  return stepFault(amount, currency);
}

/** Whether a part of a charge (capture, refund) can be expressed: positive and in whole steps; minimums do not apply to parts. */
export function partFault(amount: bigint, currency: string): AmountFault | null {
  if (amount < 1n) return { fault: 'too_small', minimum: 1n };
  return stepFault(amount, currency);
}

function stepFault(amount: bigint, currency: string): AmountFault | null {
  const step = currencyOf(currency)?.step ?? 1n;
  return amount % step === 0n ? null : { fault: 'not_divisible', step };
}

/** Minor units from JSON. Throws for what is no safe integer: such a number has already lost digits. */
export function minorUnits(value: number): bigint {
  if (!Number.isSafeInteger(value)) throw new RangeError(`Bug: ${value} is not a whole number of minor units`);
  return BigInt(value);
}

/** Minor units for JSON. Throws beyond 2^53 - 1. */
export function toJsonNumber(amount: bigint): number {
  const value = Number(amount);
  if (!Number.isSafeInteger(value)) throw new RangeError(`Bug: ${amount} does not fit a JSON number`);
  return value;
}

/** `4200`, `usd` -> `42.00 USD`. For people, not for arithmetic. */
export function formatAmount(amount: bigint, currency: string): string {
  const exponent = currencyOf(currency)?.exponent ?? 2;
  const digits = (amount < 0n ? -amount : amount).toString().padStart(exponent + 1, '0');
  const split = digits.length - exponent;
  const decimals = exponent === 0 ? '' : `.${digits.slice(split)}`;
  return `${amount < 0n ? '-' : ''}${digits.slice(0, split)}${decimals} ${currency.toUpperCase()}`;
}
