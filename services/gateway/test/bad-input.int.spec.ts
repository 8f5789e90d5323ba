import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Problem, PROBLEMS } from '@tidegate/contracts/problem';
import { runGateway, type RunningGateway } from './running-gateway.js';
import { example, filled, type Body, type Operation, type Schema, shown, without, wrongQuery, wrongValues } from './schema-examples.js';
import { isHere } from '../src/http/here.js';
import { ENDPOINTS } from '../src/endpoints.js';
import { openApiDocument } from '../src/openapi/document.js';

interface BadCase {
  name: string;
  status: number;
  code: string;
  send(): Promise<Response>;
}

let gateway: RunningGateway;
let onlyOps: string;
let noOps: string;
beforeAll(async () => {
  gateway = await runGateway();
  [onlyOps, noOps] = await Promise.all([gateway.key({ scopes: ['ops'] }), gateway.key({ scopes: ['payments:read'] })]);
}, 120_000);
afterAll(() => gateway?.stop());

/** Built at run time: no card number stands in the repository. */
const CARD = ['4242', '4242', '4242', '4242'];
const HIDDEN = {
  'in base64': Buffer.from(CARD.join('')).toString('base64'),
  'in hexadecimal': Buffer.from(CARD.join('')).toString('hex'),
  'percent-encoded': CARD.join('%20'),
  'with invisible characters': CARD.join('\u200b'),
  'in digits of another script': CARD.join('').replace(/\d/g, (digit) => String.fromCharCode(0x0660 + Number(digit))),
};
const document = openApiDocument(ENDPOINTS) as { paths: Record<string, Record<string, Operation>> };
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
);

describe.each(operations)('$method $path', ({ path, method, operation }) => {
  const schema = operation.requestBody?.content['application/json'].schema;
  const url = filled(path, operation);
  const more = url.includes('?') ? '&' : '?';
  const good = schema ? example(schema) : undefined;
  const key = operation.parameters.some(({ name, required }) => name === 'Idempotency-Key' && required)
    ? { 'idempotency-key': 'matrix' }
    : {};

  const send = (overrides: {
    url?: string;
    method?: string;
    body?: string;
    headers?: Record<string, string | undefined>;
    key?: string | null;
  }) => {
    const body = overrides.body ?? (good === undefined ? undefined : JSON.stringify(good));
    const headers = Object.entries({
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...key,
      ...overrides.headers,
    }).filter(([, value]) => value !== undefined) as [string, string][];
    return gateway.fetch(overrides.url ?? url, {
      method: overrides.method ?? method,
      headers,
      ...(body === undefined ? {} : { body }),
      ...(overrides.key === undefined ? {} : { key: overrides.key }),
    });
  };
  const bad = (name: string, code: keyof typeof PROBLEMS, overrides: Parameters<typeof send>[0]): BadCase => ({
    name,
    code,
    status: PROBLEMS[code].status,
    send: () => send(overrides),
  });

  const cases: BadCase[] = [
    bad('no key', 'auth.missing', { key: null }),
    bad('a wrong key', 'auth.invalid', { key: 'tg_test_wrong' }),
    bad('a key without the scope', 'auth.forbidden', {
      get key() {
        return operation['x-scope'] === 'ops' ? noOps : onlyOps;
      },
    }),
    bad('an unknown query parameter', 'validation.failed', { url: `${url}${more}unknown=1` }),
    bad('a query parameter given twice', 'validation.failed', { url: `${url}${more}limit=1&limit=2` }),
    bad('a card number in the query', 'payments.card_data_refused', { url: `${url}${more}cursor=${CARD.join('-')}` }),
    bad('a card number as the name of a query parameter', 'payments.card_data_refused', { url: `${url}${more}${CARD.join('')}=1` }),
    bad('a NUL in the query', 'validation.failed', { url: `${url}${more}cursor=%00` }),
    bad('a card number in a header', 'payments.card_data_refused', { headers: { 'x-note': `card ${CARD.join(' ')}` } }),
    ...operation.parameters
      .filter((one) => one.in === 'query')
      .flatMap((one) =>
        wrongQuery(one).map((value) =>
          bad(`query ${one.name}=${value}`, 'validation.failed', { url: `${url}${more}${one.name}=${encodeURIComponent(value)}` }),
        ),
      ),
    ...(path.includes('{id}')
      ? ['nonsense', 'pay_', '%2e%2e', "pay_1'--", 'x'.repeat(200), 'x'.repeat(400)].map((id) =>
          bad(`the id ${id.slice(0, 20)}`, 'not_found', { url: path.replace('{id}', id) }),
        )
      : []),
    ...(path.includes('{id}')
      ? [bad('a card number in the path', 'payments.card_data_refused', { url: path.replace('{id}', CARD.join('')) })]
      : []),
    ...(method === 'POST' ? bodyCases() : []),
    ...('idempotency-key' in key ? keyCases() : []),
  ];

  function keyCases(): BadCase[] {
    return [
      bad('no Idempotency-Key', 'idempotency.key_required', { headers: { 'idempotency-key': undefined } }),
      bad('an Idempotency-Key that is too long', 'idempotency.key_invalid', { headers: { 'idempotency-key': 'k'.repeat(256) } }),
      bad('a card number as Idempotency-Key', 'payments.card_data_refused', { headers: { 'idempotency-key': CARD.join('') } }),
    ];
  }

  function bodyCases(): BadCase[] {
    const raw = JSON.stringify(good);
    const limit = ENDPOINTS.find(({ id }) => id === operation.operationId)?.bodyLimit ?? 64 * 1024;
    return [
      ...['{', '{"amount":}', "{'amount': 1}", 'NaN', '{"a":1}{"b":2}', `${raw}x`].map((body) =>
        bad(`the body ${body.slice(0, 15)}`, 'body.malformed', { body }),
      ),
      bad('a body in broken UTF-8', 'body.malformed', {
        get body() {
          return Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]) as unknown as string;
        },
      }),
      ...['null', '[]', '"text"', '7', 'true']
        .filter((body) => !(body === 'null' && operation.requestBody?.required === false))
        .map((body) => bad(`the body ${body}`, 'validation.failed', { body })),
      bad('a body that is too large', 'body.too_large', { body: JSON.stringify({ ...good, note: 'x'.repeat(limit + 1024) }) }),
      bad('a form', 'body.unsupported_media_type', { body: 'amount=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
      bad('plain text', 'body.unsupported_media_type', { body: raw, headers: { 'content-type': 'text/plain' } }),
      bad('nesting without end', 'validation.failed', { body: `{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}` }),
      bad('__proto__', 'validation.failed', { body: raw.replace('{', '{"__proto__":{"admin":true},').replace(',}', '}') }),
      bad('constructor', 'validation.failed', { body: JSON.stringify({ ...good, constructor: { prototype: { admin: true } } }) }),
      bad('an unknown field', 'validation.failed', { body: JSON.stringify({ ...good, surprise: 1 }) }),
      bad('a card number in an unknown field', 'payments.card_data_refused', { body: JSON.stringify({ ...good, card: CARD.join(' ') }) }),
      bad('a card number as a key', 'payments.card_data_refused', { body: JSON.stringify({ ...good, [CARD.join('')]: 1 }) }),
      bad('a card number as a number', 'payments.card_data_refused', { body: JSON.stringify({ ...good, note: Number(CARD.join('')) }) }),
      bad('a card number deep inside', 'payments.card_data_refused', {
        body: JSON.stringify({ ...good, a: [{ b: [`no: ${CARD.join('-')} 12/29`] }] }),
      }),
      ...Object.entries(HIDDEN).map(([how, text]) =>
        bad(`a card number ${how}`, 'payments.card_data_refused', { body: JSON.stringify({ ...good, metadata: { note: text } }) }),
      ),
      bad('a card number as a key of the metadata', 'payments.card_data_refused', {
        body: JSON.stringify({ ...good, metadata: { [`card ${CARD.join('-')}`]: 'x' } }),
      }),
      bad('a NUL in a text', 'validation.failed', { body: JSON.stringify({ ...good, note: 'a\0b' }) }),
      bad('half a character', 'validation.failed', { body: JSON.stringify({ ...good, note: 'x' }).replace('"x"', '"\\ud800"') }),
      ...(schema ? fieldCases(schema, good ?? {}) : []),
    ];
  }

  function fieldCases(of: Schema, whole: Body): BadCase[] {
    const missing = (of.required ?? []).map((name) =>
      bad(`without ${name}`, 'validation.failed', { body: JSON.stringify(without(whole, name)) }),
    );
    const wrong = Object.entries(of.properties ?? {}).flatMap(([name, shape]) =>
      wrongValues(shape).map((value) =>
        bad(`${name}: ${shown(value)}`, 'validation.failed', { body: JSON.stringify({ ...whole, [name]: value }) }),
      ),
    );
    const cards = Object.keys(of.properties ?? {}).map((name) =>
      bad(`a card number in ${name}`, 'payments.card_data_refused', { body: JSON.stringify({ ...whole, [name]: CARD.join(' ') }) }),
    );
    return [...missing, ...wrong, ...cards];
  }

  it.each(cases)('refuses $name with $code', async ({ status, code, send: request }) => {
    const before = gateway.received.length;
    const response = await request();
    const problem = (await response.json()) as Problem;

    expect({ status: response.status, code: problem.code }).toEqual({ status, code });
    expect(operation.responses[String(status)]?.['x-codes']).toContain(code);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(problem.request_id).toBe(response.headers.get('x-request-id'));
    expect(gateway.received).toHaveLength(before);
  });

  it('accepts the example that the cases are made of', async () => {
    const response = await send({});
    // What the gateway answers itself may not find the id of the example.
    const rpc = ENDPOINTS.find(({ id }) => id === operation.operationId)?.rpc;
    if (typeof rpc === 'string' && isHere(rpc)) expect([200, 201, 404]).toContain(response.status);
    else expect(response.status).toBe(200);
  });
});

describe('What is no route', () => {
  it.each([
    ['DELETE', '/v1/payments', 405, 'method_not_allowed'],
    ['PUT', '/v1/payments/pay_4f1c2b7a9d3e5f60', 405, 'method_not_allowed'],
    ['OPTIONS', '/v1/receipts', 405, 'method_not_allowed'],
    ['POST', '/openapi.json', 405, 'method_not_allowed'],
    ['GET', '/v1/nothing', 404, 'not_found'],
    ['GET', '/', 404, 'not_found'],
    ['POST', '/v1/payments/pay_4f1c2b7a9d3e5f60/confirm/more', 404, 'not_found'],
    ['GET', '/v1/payments/%zz', 400, 'validation.failed'],
  ])('%s %s is %i %s', async (method, path, status, code) => {
    const response = await gateway.fetch(path, { method });
    expect({ status: response.status, ...((await response.json()) as object) }).toMatchObject({ status, code });
    if (status === 405) expect(response.headers.get('allow')).toBeTruthy();
  });
});

describe('After all of this', () => {
  it('no log line shows the card number, and nothing was an error of ours', () => {
    const all = gateway.logs.join('');
    for (const separator of ['', ' ', '-']) expect(all).not.toContain(CARD.join(separator));
    expect(gateway.logs.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  });
});

describe('What is no HTTP', () => {
  it.each([
    ['a broken request line', 'NONSENSE\r\n\r\n'],
    ['headers without end', `GET /v1/payments HTTP/1.1\r\nhost: x\r\nx-long: ${'x'.repeat(40_000)}\r\n\r\n`],
  ])('%s gets a problem document too', async (_what, text) => {
    const answer = await raw(text);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('content-type: application/problem+json');
    expect(answer).toContain('"code":"validation.failed"');
  });
});

/** What comes back for these bytes on a connection of their own. */
async function raw(text: string): Promise<string> {
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname);
  socket.end(text);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
