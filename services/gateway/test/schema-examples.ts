/** An operation of the OpenAPI document, as far as tests read it. */
export interface Operation {
  operationId: string;
  'x-scope': string;
  parameters: { name: string; in: 'path' | 'query' | 'header'; required: boolean; schema: Schema }[];
  requestBody?: { required: boolean; content: { 'application/json': { schema: Schema } } };
  responses: Record<string, { 'x-codes'?: string[] }>;
}
export interface Schema {
  type?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  pattern?: string;
  enum?: string[];
  anyOf?: Schema[];
  format?: string;
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  maxLength?: number;
  additionalProperties?: boolean | Schema;
}
export type Body = Record<string, unknown>;
/** The path with an id that fits, and the query that it must have. */
export function filled(path: string, operation: Operation): string {
  const query = operation.parameters
    .filter((one) => one.in === 'query' && one.required)
    .map(({ name }): [string, string] => [name, String(EXAMPLES[name])]);
  const withId = path.replace(/\{\w+\}/, idLike(operation.parameters.find((one) => one.in === 'path')?.schema));
  return query.length === 0 ? withId : `${withId}?${new URLSearchParams(query).toString()}`;
}

const TENANT_ID = '^[a-z][a-z0-9-]{0,62}$';

function idLike(schema: Schema | undefined): string {
  if (schema?.pattern === '^[0-9A-Za-z]{12}$') return 'Ab3dEf6hIj9k';
  if (schema?.pattern === TENANT_ID) return 'acme';
  if (schema?.enum?.[0] !== undefined) return schema.enum[0];
  const prefix = /^\^(\w+?)_/.exec(schema?.pattern ?? '')?.[1] ?? 'pay';
  return `${prefix}_4f1c2b7a9d3e5f60`;
}

const EXAMPLES: Record<string, unknown> = {
  currency: 'usd',
  payment_method: 'pm_card_visa',
  start_date: '2026-11-01',
  end_date: '2026-11-20',
  reason: 'monthly close',
  id: 'acme',
  url: 'https://hooks.example.com/webhooks/stripe',
  tenant: 'default',
  scopes: ['payments:read'],
  filter: {},
  consumer: 'receipts-payments',
  line_items: [{ name: 'Vase', quantity: 1, unit_amount: 4200 }],
  success_url: 'https://shop.example/done',
  cancel_url: 'https://shop.example/back',
  events: [{ id: 'use-1', customer: 'cus_4f1c2b7a9d3e5f60', meter: 'api_calls', value: '1', at: '2026-11-21T10:00:00Z' }],
  customer: 'cus_4f1c2b7a9d3e5f60',
  items: [{ price: 'price_4f1c2b7a9d3e5f60' }],
  meter: 'api_calls',
  limit: '100.5',
  hour: '2026-11-21T10:00:00Z',
  restore_point: '2026-11-21T06:00:00Z',
};

/** The least that a schema accepts. */
export function example(schema: Schema): Body {
  return Object.fromEntries((schema.required ?? []).map((name) => [name, EXAMPLES[name] ?? exampleOf(schema.properties?.[name] ?? {})]));
}

function exampleOf(schema: Schema): unknown {
  if (schema.enum) return schema.enum[0];
  if (schema.type === 'integer') return 4200;
  throw new Error(`Bug: the matrix knows no example for ${JSON.stringify(schema)}`);
}

/** Values that a schema must refuse, from what it says about itself. */
export function wrongValues(schema: Schema): unknown[] {
  const some = schema.anyOf?.find(({ type }) => type !== 'null');
  if (some) return wrongValues(some).filter((value) => value !== null);
  if (schema.type === 'integer') {
    return [
      '1',
      1.5,
      true,
      null,
      [],
      {},
      1e21,
      ...(schema.maximum === undefined ? [] : [schema.maximum + 1]),
      ...(schema.exclusiveMinimum === 0 ? [0, -1, -4200] : [-1]),
    ];
  }
  if (schema.type === 'number') return ['1', true, null, [], {}, (schema.minimum ?? 0) - 1, (schema.maximum ?? 1e21) + 1];
  if (schema.type === 'boolean') return ['true', 1, null];
  if (schema.type === 'array') return [{}, 'text', [null], [1]];
  if (schema.type === 'object')
    return [
      [],
      'text',
      1,
      null,
      { 'a[b]': 'x' },
      { key: 1 },
      { tenant_id: 'x' },
      { payment_id: 'x' },
      { key: 'x'.repeat(501) },
      { ['k'.repeat(41)]: 'x' },
    ];
  const strings = [1, null, [], {}, ''];
  if (schema.enum || schema.pattern || schema.format) strings.push('not \n this');
  if (schema.maxLength !== undefined) strings.push('x'.repeat(schema.maxLength + 1));
  return strings;
}

/** The same for a query parameter. */
export function wrongQuery({ schema }: { schema: Schema }): string[] {
  if (schema.type === 'integer') return ['0', '-1', '101', '1.5', 'many', ''];
  return ['', 'not \n this', ...(schema.enum || schema.format ? ['wrong'] : [])];
}

export const without = (body: Body, name: string): Body => Object.fromEntries(Object.entries(body).filter(([one]) => one !== name));
export const shown = (value: unknown): string => JSON.stringify(value).slice(0, 30);
