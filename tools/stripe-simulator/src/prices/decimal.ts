import { invalidParam } from '../http/errors.js';

/** Stripe takes at most twelve decimal places. */
const PLACES = 12;
const SCALE = 10n ** BigInt(PLACES);

/** A non-negative decimal in minor units, as text without trailing zeros. */
export function checkedDecimal(text: string, param: string): string {
  if (!/^\d{1,15}(\.\d{1,12})?$/.test(text))
    throw invalidParam(`Invalid decimal: ${text.slice(0, 100)}`, param, 'parameter_invalid_decimal');
  return fromScaled(toScaled(text));
}

/** The whole number that a decimal is, or null. */
export function wholeOrNull(decimal: string): number | null {
  return decimal.includes('.') ? null : Number(decimal);
}

/** `unit * quantity`, rounded half up to whole minor units. Quantities may be decimal (usage). */
export function decimalTimes(unit: string, quantity: number): number {
  const product = toScaled(unit) * toScaled(quantity.toFixed(PLACES));
  const negative = product < 0n;
  const whole = ((negative ? -product : product) + (SCALE * SCALE) / 2n) / (SCALE * SCALE);
  return Number(negative ? -whole : whole);
}

function toScaled(text: string): bigint {
  const negative = text.startsWith('-');
  const [whole = '0', fraction = ''] = text.replace('-', '').split('.');
  const scaled = BigInt(whole) * SCALE + BigInt(fraction.padEnd(PLACES, '0').slice(0, PLACES));
  return negative ? -scaled : scaled;
}

function fromScaled(scaled: bigint): string {
  const fraction = (scaled % SCALE).toString().padStart(PLACES, '0').replace(/0+$/, '');
  return `${scaled / SCALE}${fraction === '' ? '' : `.${fraction}`}`;
}
