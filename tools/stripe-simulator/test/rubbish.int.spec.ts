import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { routes } from '../src/routes.js';
import { schema } from '../src/schema/schema.js';
import { type Given, KEY, givenSimulator } from './given.js';

let given: Given;
beforeAll(async () => {
  given = await givenSimulator();
});
afterAll(() => given.end());

const operations = routes.map(({ operation }) => operation);
const names = [...new Set(Object.values(schema.operations).flatMap((fields) => Object.keys(fields)))];
const value = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.constantFrom('', '0', '-1', '100', '99999999999999999999', 'true', 'usd', 'jpy', 'pm_card_visa', 'null', '[]', '%00', '__proto__'),
  fc.integer().map(String),
);
const key = fc.oneof(
  fc.constantFrom(...names),
  fc.constantFrom(...names).chain((name) => fc.string({ maxLength: 5 }).map((inner) => `${name}[${inner}]`)),
  fc.constantFrom(
    '__proto__[a]',
    'constructor[prototype][a]',
    'a[',
    'a]b',
    '[]',
    '[a]',
    'metadata[__proto__]',
    'expand[]',
    'expand[x]',
    'created[gte]',
    `${'a'}${'[a]'.repeat(30)}`,
  ),
  fc.string({ maxLength: 12 }),
);
const form = fc
  .array(fc.tuple(key, value), { maxLength: 8 })
  .map((pairs) => pairs.map(([k, v]) => `${encodeURIComponent(k)}=${encodeURIComponent(v)}`).join('&'));
const id = fc.constantFrom('pi_x', '..', '__proto__', 'constructor', '%', '%2e%2e', 'a b', '');

describe('Rubbish', () => {
  it('is answered with a documented error or a valid object, never with 500', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...operations),
        id,
        form,
        fc.option(fc.string({ maxLength: 30 })),
        async (operation, someId, text, someKey) => {
          const [method = '', path = ''] = operation.split(' ');
          const real = given.simulator.world.paymentIntents.all()[0]?.id ?? someId;
          const url = `${given.simulator.url}${path.replace('{id}', text.length % 3 === 0 ? real : encodeURIComponent(someId))}`;
          const headers = {
            Authorization: `Bearer ${KEY}`,
            'Content-Type': 'application/x-www-form-urlencoded',
            ...(someKey !== null && { 'Idempotency-Key': encodeURIComponent(someKey) }),
          };
          const response = await fetch(method === 'POST' ? url : `${url}?${text}`, {
            method,
            headers,
            ...(method === 'POST' && { body: text }),
          });
          const body = (await response.json()) as { error?: { type: string; message: string } };
          expect([200, 400, 402, 404]).toContain(response.status);
          if (response.status !== 200) expect(body.error).toMatchObject({ type: expect.any(String), message: expect.any(String) });
        },
      ),
      { numRuns: 600 },
    );
  }, 30_000);

  it('sent to the control routes gets a 4xx or works, never a 500', async () => {
    const paths = [
      '/__faults',
      '/__clock',
      '/__dashboard/refund',
      '/__dashboard/cancel',
      '/__dashboard/edit',
      '/__dashboard/complete_action',
      '/__dashboard/x',
      '/__truth',
    ];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...paths), fc.oneof(fc.json(), fc.string()), async (path, body) => {
        const response = await fetch(`${given.simulator.url}${path}`, { method: 'POST', body });
        expect(response.status).toBeLessThan(500);
        given.simulator.clearFaults();
      }),
      { numRuns: 200 },
    );
  }, 30_000);

  it('on the wire does not end the process', async () => {
    const lines = [
      'GARBAGE\r\n\r\n',
      'POST /v1/customers HTTP/1.1\r\nContent-Length: 99999\r\n\r\nx',
      'GET / HTTP/9.9\r\n\r\n',
      '\0\0\0\0',
      'POST /v1/customers HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n',
    ];
    const address = { host: given.simulator.host, port: given.simulator.port };
    await Promise.all(
      lines.map(
        (line) =>
          new Promise<void>((resolve) => {
            const socket = connect(address, () => socket.end(line));
            socket
              .on('close', () => resolve())
              .on('error', () => resolve())
              .resume();
          }),
      ),
    );
    expect((await fetch(`${given.simulator.url}/healthz`)).status).toBe(200);
  });
});
