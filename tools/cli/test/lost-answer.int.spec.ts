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

/** A gateway behind which nobody is there for what only looks, and nobody answers in time for a change. */
const alone = createServer(({ method, url }, response) => {
  const away = {
    code: 'service.unavailable',
    title: 'Tidegate cannot answer right now; try again with the same key',
    detail: 'The service behind this route is away; nothing was done. Try again with the same key.',
  };
  const slow = {
    code: 'service.timeout',
    title: 'No answer in time; the outcome is unknown, try again with the same key',
    detail: 'No answer in time: the outcome is unknown. Try again with the same key.',
  };
  const answer = method === 'GET' && url !== '/v1/ops/breakers' ? away : slow;
  asked.push(`${method} ${url}`);
  response
    .writeHead(503, { 'content-type': 'application/problem+json' })
    .end(JSON.stringify({ ...answer, status: 503, request_id: 'req_1' }));
});
const asked: string[] = [];
beforeAll(() => new Promise<void>((resolve) => alone.listen(0, '127.0.0.1', resolve)));
afterAll(() => new Promise((resolve) => alone.close(resolve)));

describe('When the services behind the gateway do not answer', () => {
  const failed = async (line: string | string[]) => {
    const { exitCode, err } = await tidegate(line, {
      env: { ...env(), TIDEGATE_URL: `http://127.0.0.1:${(alone.address() as AddressInfo).port}` },
    });
    expect(exitCode).toBe(1);
    return err;
  };

  it('it is said once, and of no key that nobody at a terminal has', async () => {
    expect(await failed('payments list')).toBe(
      'Failed: Tidegate cannot answer right now: The service behind this route is away; nothing was done. (request req_1)\n',
    );
    expect(await failed('breaker status')).toBe('Failed: No answer in time. (request req_1)\n');
  });

  it('a change may have been made', async () => {
    expect(await failed('keys revoke Ab3dEf6hIj9k --yes --reason leaked')).toBe(
      'Failed: No answer in time. It may have been done all the same: look before you repeat it. (request req_1)\n',
    );
  });

  it('an id stays one, whatever is in it, and an empty one is asked for nowhere', async () => {
    await failed('keys revoke ../tenants --yes --reason leaked');
    expect(asked.at(-1)).toBe('POST /v1/ops/api-keys/..%2Ftenants/revoke');
    const before = asked.length;
    expect(await failed(['payments', 'show', ''])).toBe(
      'Failed: An argument is empty, perhaps a variable of the shell that is not set. Nothing was done.\n',
    );
    expect(asked).toHaveLength(before);
  });
});

describe('A command that is written wrongly', () => {
  it.each([
    ['payments list --limit 0', "option '--limit <n>' argument '0' is invalid. It must be a whole number from 1 to 99999."],
    [
      'restore hold --since 2999-01-01 --reason x --yes',
      "option '--since <when>' argument '2999-01-01' is invalid. That is in the future.",
    ],
    [
      'webhooks sweep --since 2999-01-01 --reason x --yes',
      "option '--since <when>' argument '2999-01-01' is invalid. That is in the future.",
    ],
    [
      'events replay --consumer receipts-payments --from soon --reason x',
      "option '--from <place>' argument 'soon' is invalid. Write a time as 2026-11-21 or 2026-11-21T06:00:00Z, or an age as 30m, 2h, 7d.",
    ],
    ['payments nothing', "unknown command 'nothing'"],
  ])('%s says so to scripts, too', async (line, message) => {
    const { exitCode, out, err } = await tidegate(`${line} --json`, { env: env() });
    expect([exitCode, JSON.parse(out)]).toEqual([1, { error: { code: 'usage.invalid', message } }]);
    expect(err).toContain(`error: ${message}`);
  });
});

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
