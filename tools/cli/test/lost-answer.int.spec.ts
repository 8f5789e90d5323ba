import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { tidegate } from './console.js';

/** A gateway whose connection breaks in the middle of every answer. */
const server = createServer((_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
  response.write('{"data":');
  setImmediate(() => response.destroy());
});
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => new Promise((resolve) => server.close(resolve)));

const env = () => ({ TIDEGATE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, TIDEGATE_API_KEY: 'own' });

describe('When the connection breaks in the middle of an answer', () => {
  it('is one sentence and one JSON document, as every failure is', async () => {
    const { exitCode, out, err } = await tidegate('breaker status --json', { env: env() });
    expect(exitCode).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'gateway.away' } });
    expect(err).toMatch(/^Failed: The gateway at .* does not answer/);
    expect(err).not.toContain('all the same');
  });

  it('of a change, it is said that it may have been made', async () => {
    const { exitCode, err } = await tidegate('keys revoke Ab3dEf6hIj9k --yes --reason leaked', { env: env() });
    expect([exitCode, err]).toEqual([1, expect.stringContaining('look before you repeat it')]);
  });
});
