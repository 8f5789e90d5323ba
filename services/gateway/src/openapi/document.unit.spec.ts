import { describe, expect, it } from '@jest/globals';
import { Reason } from '@tidegate/contracts/ops/reason';
import { PROBLEMS } from '@tidegate/contracts/problem';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { z } from 'zod';
import { ENDPOINTS } from '../endpoints.js';
import { openApiDocument } from './document.js';

interface Operation {
  operationId: string;
  parameters: { name: string; in: string; description?: string; schema: object }[];
  requestBody?: { content: { 'application/json': { schema: object } } };
  responses: Record<string, { 'x-codes'?: string[]; headers: Record<string, object>; content: Record<string, { schema: object }> }>;
}

interface Described {
  properties?: Record<string, { description?: string }>;
}

const document = openApiDocument(ENDPOINTS) as { components: object; paths: Record<string, Record<string, Operation>> };
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, path, operation })),
);

describe('The OpenAPI document', () => {
  it('has every endpoint, under a name of its own', () => {
    expect(operations).toHaveLength(ENDPOINTS.length);
    expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(ENDPOINTS.length);
  });

  it.each(operations)('$name declares each parameter of its path', ({ path, operation }) => {
    const inPath = operation.parameters.filter((one) => one.in === 'path').map((one) => `{${one.name}}`);
    expect(path.match(/\{\w+\}/g) ?? []).toEqual(inPath);
  });

  it.each(ENDPOINTS)('$id says of each parameter and field what its shape says', ({ id, query, body }) => {
    const operation = operations.find((one) => one.operation.operationId === id)?.operation;
    for (const [name, description] of saidOf(query))
      expect([name, operation?.parameters.find((one) => one.name === name)?.description]).toEqual([name, description]);
    const { properties = {} } = (operation?.requestBody?.content['application/json'].schema ?? {}) as Described;
    for (const [name, description] of saidOf(body)) expect([name, properties[name]?.description]).toEqual([name, description]);
  });

  it.each(operations)('$name has only valid JSON Schemas', ({ operation }) => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    const answers = Object.values(operation.responses).flatMap(({ content }) => Object.values(content).map(({ schema }) => schema));
    const schemas = [
      ...operation.parameters.map(({ schema }) => schema),
      ...(operation.requestBody ? [operation.requestBody.content['application/json'].schema] : []),
      ...answers,
    ];
    for (const schema of schemas) expect(() => ajv.compile({ ...schema, components: document.components })).not.toThrow();
  });

  it.each(operations)('$name documents problems under their own status', ({ operation }) => {
    for (const [status, { 'x-codes': codes = [] }] of Object.entries(operation.responses)) {
      for (const code of codes) expect(String(PROBLEMS[code as keyof typeof PROBLEMS].status)).toBe(status);
    }
  });

  it.each(operations)('$name says where Retry-After is sent, and knows no 429', ({ operation: { responses } }) => {
    expect(Object.keys(responses['503']?.headers ?? {})).toContain('retry-after');
    expect(responses['409']?.['x-codes']?.some((code) => code.endsWith('.in_progress')) ?? false).toBe(
      Object.keys(responses['409']?.headers ?? {}).includes('retry-after'),
    );
    expect(responses).not.toHaveProperty('429');
  });

  it('tells wherever one request may be in the way of another with a key of its own', () => {
    const told = operations.filter(({ operation }) => operation.responses['409']?.['x-codes']?.includes('payments.in_progress'));
    expect(told.map(({ name }) => name).sort()).toEqual([
      'post /v1/checkout-sessions/{id}/expire',
      'post /v1/checkout-sessions/{id}/late-success',
      'post /v1/checkout-sessions/{id}/window',
      'post /v1/ops/checkouts/{id}/late-success',
      'post /v1/ops/checkouts/{id}/window',
      'post /v1/subscriptions/{id}',
      'post /v1/subscriptions/{id}/cancel',
    ]);
  });

  it('asks for an idempotency key wherever money is created or moved', () => {
    const moving = ENDPOINTS.filter(({ method, tag }) => method === 'POST' && tag === 'Payments');
    expect(moving).toHaveLength(5);
    expect(moving.every(({ idempotencyKey }) => idempotencyKey === 'required')).toBe(true);
  });

  it.each(ENDPOINTS.filter(({ method, scope }) => method === 'POST' && scope === 'ops'))(
    'asks an operator why, in the one shape there is: $path',
    ({ body }) => {
      const { properties, required } = z.toJSONSchema(body ?? z.object({}), { io: 'input' });
      const { $schema: _, ...why } = z.toJSONSchema(Reason, { io: 'input' });
      expect([properties?.['reason'], required]).toEqual([why, expect.arrayContaining(['reason'])]);
    },
  );
});

/** Names and descriptions of the fields that have one. */
const saidOf = (shape: z.ZodType | undefined): [string, string][] =>
  Object.entries(shape instanceof z.ZodObject ? (shape.shape as Record<string, z.ZodType>) : {}).flatMap(([name, { description }]) =>
    description === undefined ? [] : [[name, description] as [string, string]],
  );
