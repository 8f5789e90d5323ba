/** Exact decimals with 12 places, which is all that a meter takes, as whole units of 10^-12. */
const PLACES = 12;

export function unitsOf(text: string): bigint {
  const found = /^(-?)(\d+)(?:\.(\d{1,12})0*)?$/.exec(text);
  if (!found) throw new Error(`Bug: "${text}" is no decimal with at most ${PLACES} places`);
  const [, sign, whole = '0', fraction = ''] = found;
  const units = BigInt(whole + fraction.padEnd(PLACES, '0'));
  return sign === '-' ? -units : units;
}

export function textOf(units: bigint): string {
  const digits = (units < 0n ? -units : units).toString().padStart(PLACES + 1, '0');
  const fraction = digits.slice(-PLACES).replace(/0+$/, '');
  return `${units < 0n ? '-' : ''}${digits.slice(0, -PLACES)}${fraction === '' ? '' : `.${fraction}`}`;
}

/** A number as decimal text without an exponent, which JavaScript writes below 10^-6; what it writes from 10^21 on is no decimal here. */
export function plain(value: number): string {
  const [, sign, whole, fraction = '', exponent] = /^(-?)(\d)(?:\.(\d+))?e-(\d+)$/.exec(String(value)) ?? [];
  return exponent === undefined ? String(value) : `${sign}0.${'0'.repeat(Number(exponent) - 1)}${whole}${fraction}`;
}

/** Stripe sums in binary floating point, so a sum of its may differ from ours in the last of 15 digits, and beside zero by what larger numbers left there. */
const RELATIVE = 1e-14;
const LEAST = 1e-9;

/** Whether a number of Stripe's is this decimal. */
export function agrees(units: bigint, theirs: number): boolean {
  const ours = Number(units) / 10 ** PLACES;
  return Math.abs(ours - theirs) <= Math.max(LEAST, Math.abs(ours) * RELATIVE);
}
