import fc from 'fast-check';
import { routes } from '../../src/routes.js';
import { type Fields, type SchemaNode } from '../../src/schema/node.js';
import { schema } from '../../src/schema/schema.js';

/** Texts that break careless code. */
export const nasty = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.constantFrom(
    '',
    '0',
    '-1',
    '100',
    '99999999999999999999',
    '1e9',
    'NaN',
    'true',
    'null',
    '[]',
    '{}',
    '%00',
    '__proto__',
    'toString',
    '\u0000',
  ),
  fc.integer().map(String),
);

const names = [...new Set(Object.values(schema.operations).flatMap((fields) => Object.keys(fields)))];
const key = fc.oneof(
  fc.constantFrom(...names),
  fc.constantFrom(...names).chain((name) => fc.string({ maxLength: 5 }).map((inner) => `${name}[${inner}]`)),
  fc.constantFrom(
    ...['__proto__[a]', 'constructor[prototype][a]', 'a[', 'a]b', '[]', '[a]', 'metadata[__proto__]', 'expand[]', 'expand[x]'],
    ...['created[gte]', `${'a'}${'[a]'.repeat(30)}`],
  ),
  fc.string({ maxLength: 12 }),
);

export const encoded = (pairs: readonly (readonly [string, string])[]): string =>
  pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');

/** Forms with no sense in them. */
export const senseless = fc.array(fc.tuple(key, nasty), { maxLength: 8 }).map(encoded);

const MAX_LEVELS = 4;
/** Stands for the id of an object that exists; the number picks one. */
const someId = fc.nat({ max: 1_000 }).map((pick) => `@${pick}`);

/** A value that fits a parameter, or nearly: it gets past the validation, so that the handlers meet it. */
function fitting(node: SchemaNode, name: string, level: number): fc.Arbitrary<(readonly [string, string])[]> {
  const plain = (value: fc.Arbitrary<string>): fc.Arbitrary<(readonly [string, string])[]> => value.map((text) => [['', text] as const]);
  switch (node.t) {
    case 'number':
    case 'int64':
      return plain(fc.constantFrom('0', '1', '3', '50', '100', '2000', '999999999999', '-5', String(1_790_000_000), '99999999999999'));
    case 'boolean':
      return plain(fc.constantFrom('true', 'false'));
    case 'decimal':
      return plain(fc.constantFrom('0', '12.5', '0.000000000001', 'abc'));
    case 'enum':
      return plain(fc.constantFrom(...(node.enum ?? ['']).map(String)));
    case 'array':
      return fc
        .array(fitting(node.items ?? { t: 'string' }, name, level + 1), { maxLength: 2 })
        .map((items) => items.flatMap((pairs, at) => pairs.map(([path, value]) => [`[${at}]${path}`, value] as const)));
    case 'object':
      return level >= MAX_LEVELS ? fc.constant([]) : nested(node.fields ?? {}, level + 1);
    case 'anyOf':
      return fc.oneof(...(node.of ?? []).map((option) => fitting(option, name, level)));
    case 'metadata':
    case 'map':
      return fc
        .array(fc.tuple(fc.constantFrom('a', 'value', 'stripe_customer_id'), nasty), { maxLength: 2 })
        .map((entries) => entries.map(([one, text]) => [`[${one}]`, text] as const));
    case 'range':
      return fc.constantFrom('gt', 'gte', 'lt', 'lte').map((one) => [[`[${one}]`, '1790000000'] as const]);
    default:
      return plain(
        name === 'currency'
          ? fc.constantFrom('usd', 'jpy', 'kwd', 'isk', 'eur')
          : fc.oneof(
              { weight: 3, arbitrary: someId },
              {
                weight: 2,
                arbitrary: fc.constantFrom(
                  'pm_card_visa',
                  'tok_visa',
                  'pm_card_chargeDeclined',
                  'pm_card_threeDSecure2Required',
                  'https://example.com/{CHECKOUT_SESSION_ID}',
                  'data.customer',
                ),
              },
              { weight: 1, arbitrary: nasty },
            ),
      );
  }
}

function nested(fields: Fields, level: number): fc.Arbitrary<(readonly [string, string])[]> {
  return someOf(fields, level).map((entries) =>
    entries.flatMap(([name, pairs]) => pairs.map(([path, value]) => [`[${name}]${path}`, value] as const)),
  );
}

/** All required fields and up to four others. */
function someOf(fields: Fields, level: number): fc.Arbitrary<[string, (readonly [string, string])[]][]> {
  const required = Object.keys(fields).filter((name) => fields[name]?.opt === undefined);
  const optional = Object.keys(fields).filter((name) => fields[name]?.opt !== undefined);
  return fc
    .subarray(optional, { maxLength: Math.min(4, optional.length) })
    .chain((chosen) =>
      fc.tuple(
        ...[...required, ...chosen].map((name) =>
          fitting(fields[name] as SchemaNode, name, level).map((pairs) => [name, pairs] as [string, (readonly [string, string])[]]),
        ),
      ),
    );
}

export interface Sent {
  readonly operation: string;
  readonly pairs: readonly (readonly [string, string])[];
  /** Picks the object that the path names. */
  readonly id: number;
}

/** Requests that are nearly right, over all operations. */
export const plausible: fc.Arbitrary<Sent> = fc.constantFrom(...routes).chain(({ operation, fields }) =>
  fc.record({
    operation: fc.constant(operation),
    id: fc.nat({ max: 1_000 }),
    pairs: someOf(fields ?? schema.operations[operation] ?? {}, 0).map((entries) =>
      entries.flatMap(([name, pairs]) => pairs.map(([path, value]) => [`${name}${path}`, value] as const)),
    ),
  }),
);
