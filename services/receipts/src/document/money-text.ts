import { currencyOf } from '@tidegate/money/currency';
import { remembered } from './remembered.js';

/** `(4200, 'usd', 'en')` -> `$42.00`. `amount` is in the minor unit; a negative one gets a true minus sign. Exact: no floating point. */
export function moneyText(amount: number, currency: string, locale: string): string {
  const { digits, shown } = digitsOf(currency, amount);
  const decimal = decimalOf(Math.abs(amount), digits);
  const text = formatOf(currency, locale, shown).format(amount < 0 ? (`-${decimal}` as Intl.StringNumericLiteral) : decimal);
  // Japanese has a yen sign as wide as two figures; the narrow one stands in line with them.
  return text.replace('\uFFE5', '\u00A5').replace('-', '\u2212');
}

const formatOf = remembered(
  (currency: string, locale: string, shown: number) =>
    new Intl.NumberFormat(locale, { style: 'currency', currency, minimumFractionDigits: shown, maximumFractionDigits: shown }),
);

/** Decimals in the minor unit, and those that people write: none for a currency that is counted in cents but has none (ISK, UGX). */
function digitsOf(currency: string, amount: number): { digits: number; shown: number } {
  const known = currencyOf(currency);
  const digits = known?.exponent ?? 2;
  const onlyWhole = known?.step === 100n && amount % 100 === 0;
  return { digits, shown: onlyWhole ? 0 : digits };
}

function decimalOf(amount: number, digits: number): Intl.StringNumericLiteral {
  const padded = String(amount).padStart(digits + 1, '0');
  const point = padded.length - digits;
  return (digits === 0 ? padded : `${padded.slice(0, point)}.${padded.slice(point)}`) as Intl.StringNumericLiteral;
}
