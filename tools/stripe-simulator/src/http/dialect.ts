import { type IdempotencyKeys } from '../idempotency/idempotency-keys.js';
import { type Fields } from '../schema/node.js';
import { asV2 } from '../v2/errors.js';
import { decodeJsonRequest } from '../v2/json-form.js';
import { type World } from '../world.js';
import { invalidParam } from './errors.js';
import { type Outcome } from './execute.js';
import { type FormMap, decodeForm } from './form.js';

/** Where v1 and v2 of the API differ on the wire. */
export interface Dialect {
  /** Methods that take an idempotency key. */
  readonly keyed: readonly string[];
  readonly keys: (world: World) => IdempotencyKeys;
  /** Whether a key keeps this answer. */
  readonly keeps: (outcome: Outcome) => boolean;
  /** Throws when the body can not be read. */
  readonly decode: (request: { query: string; body: string; contentType: string | undefined; fields: Fields }) => FormMap;
  readonly shown: (outcome: Outcome) => Outcome;
}

/** Forms in, JSON out; a key keeps whatever came of an execution. */
const V1: Dialect = {
  keyed: ['POST'],
  keys: (world) => world.idempotency,
  keeps: ({ stored }) => stored,
  decode: ({ query, body, contentType }) => {
    if (contentType?.startsWith('application/json')) throw invalidParam(NOT_A_FORM);
    return decodeForm(query === '' || body === '' ? query + body : `${query}&${body}`);
  },
  shown: (outcome) => outcome,
};

/** JSON in, JSON out; a key keeps successes only, so that a retry attempts again what failed. */
const V2: Dialect = {
  keyed: ['POST', 'DELETE'],
  keys: (world) => world.idempotencyV2,
  keeps: ({ status }) => status < 300,
  decode: ({ query, body, fields }) => decodeJsonRequest(query, body, fields),
  shown: asV2,
};

export function dialectOf(path: string): Dialect {
  return path.startsWith('/v2/') ? V2 : V1;
}

const NOT_A_FORM =
  'Invalid request (check that your POST content type is application/x-www-form-urlencoded). If you have any questions, we can help at https://support.stripe.com/.';
