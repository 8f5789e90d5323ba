import { type Charge } from '../charges/charge.js';
import { chargeById } from '../charges/routes.js';
import { invalidParam } from '../http/errors.js';
import { intentById } from '../payment-intents/find.js';
import { type World } from '../world.js';

/** The JSON body of a dashboard action. */
export type Body = Readonly<Record<string, unknown>>;

/** A text that must be there. */
export function text(body: Body, name: string): string {
  const value = body[name];
  if (typeof value === 'string') return value;
  throw invalidParam(`Missing required param: ${name}.`, name, 'parameter_missing');
}

/** One of some words, or undefined when it is left out. */
export function choice<Word extends string>(body: Body, name: string, words: readonly Word[]): Word | undefined {
  const value = body[name];
  if (value === undefined || words.includes(value as Word)) return value as Word | undefined;
  throw invalidParam(`Invalid ${name}: must be one of ${words.join(', ')}`, name);
}

export function map(body: Body, name: string): object {
  const value = body[name];
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw invalidParam(`Invalid object`, name);
}

/** Minor units above zero, or undefined when left out. */
export function wholeAmount(value: unknown): number | undefined {
  if (value === undefined || (Number.isSafeInteger(value) && (value as number) > 0)) return value as number | undefined;
  throw invalidParam('Invalid positive integer', 'amount', 'parameter_invalid_integer');
}

/** The charge of `charge`, or the latest one of `payment_intent`. */
export function chargeOf(world: World, body: Body): Charge {
  if (body['charge'] !== undefined) return chargeById(world, text(body, 'charge'), 'charge');
  const intent = intentById(world, text(body, 'payment_intent'), 'payment_intent');
  return chargeById(world, intent.latest_charge ?? '', 'payment_intent');
}
