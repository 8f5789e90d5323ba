import type { Problem } from '@tidegate/contracts/problem';
import { hidesCardNumber } from '@tidegate/telemetry/hidden-card-number';
import { ProblemError } from './problem-error.js';

/** No documented body is deeper than 4. */
const DEEPEST = 12;
const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

type Fault = NonNullable<Problem['errors']>[number];

/**
 * Refuses what no field of any route may hold: card numbers (in keys and numbers too, however they are written), text that the database cannot store, keys that mean something to
 * JavaScript, and nesting without end. Throws `payments.card_data_refused` or `validation.failed`. Paths name keys of the caller only where they are harmless.
 */
export function refuseHarmfulValue(value: unknown): void {
  const faults: Fault[] = [];
  walk(value, [], faults);
  if (faults.length > 0)
    throw new ProblemError('validation.failed', 'The body holds keys or text that are never accepted.', { errors: faults.slice(0, 20) });
}

/** The same for a text of the URL or a header. */
export function refuseHarmfulText(text: string, where: string): void {
  if (hidesCardNumber(text)) throw cardNumberFound();
  if (!isStorable(text)) throw new ProblemError('validation.failed', `The ${where} holds characters that are never accepted.`);
}

export const cardNumberFound = (): ProblemError =>
  new ProblemError(
    'payments.card_data_refused',
    'The request seems to hold a card number. Collect cards with Stripe.js or Checkout and send the payment method id; nothing was kept.',
  );

function walk(value: unknown, path: readonly (string | number)[], faults: Fault[]): void {
  if (path.length > DEEPEST) throw new ProblemError('validation.failed', `The body is nested deeper than ${DEEPEST} levels.`);
  if (typeof value === 'string') return checkText(value, path, faults);
  if (typeof value === 'number') {
    if (hidesCardNumber(plainDigits(value))) throw cardNumberFound();
    return;
  }
  if (value === null || typeof value !== 'object') return;
  for (const [key, child] of Object.entries(value)) {
    if (!Array.isArray(value)) checkKey(key, path, faults);
    walk(child, [...path, key], faults);
  }
}

function checkText(text: string, path: readonly (string | number)[], faults: Fault[]): void {
  if (hidesCardNumber(text)) throw cardNumberFound();
  if (!isStorable(text)) faults.push({ path: path.join('.'), message: 'holds a NUL or half a character' });
}

function checkKey(key: string, path: readonly (string | number)[], faults: Fault[]): void {
  if (hidesCardNumber(key)) throw cardNumberFound();
  if (FORBIDDEN_KEYS.has(key)) faults.push({ path: [...path, key].join('.'), message: 'this key is never accepted' });
  else if (!isStorable(key)) faults.push({ path: path.join('.'), message: 'holds a key with a NUL or half a character' });
}

/** PostgreSQL stores neither NUL nor a lone surrogate. */
const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed();

const plainDigits = (value: number): string =>
  Number.isInteger(value) && Math.abs(value) < 1e20 ? BigInt(Math.abs(value)).toString() : '';
