import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { simulatorForTests } from '@tidegate/test-harness/simulator';
import { type Simulator } from '@tidegate/stripe-simulator/simulator';
import { API_VERSION } from '../src/adapter.js';
import { diagnose } from '../src/diagnose.js';
import { probeStripe } from '../src/probe.js';
import { readStatusPage } from '../src/status-page.js';
import { selfSigned } from './self-signed.js';

const KEY = 'sk_test_simulator';
const account = JSON.stringify({ id: 'acct_1', object: 'account' });

let simulator: Simulator;
const opened: net.Server[] = [];
beforeAll(async () => {
  simulator = await simulatorForTests();
});
afterAll(async () => {
  await simulator.close();
  for (const server of opened) {
    (server as http.Server).closeAllConnections?.();
    server.close();
  }
});

async function listening(server: net.Server): Promise<number> {
  opened.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as net.AddressInfo).port;
}
const answering = async (answer: http.RequestListener) => `http://127.0.0.1:${await listening(http.createServer(answer))}`;
const check = async (apiBase: string, { secretKey = KEY, deadlineMs = 5000 } = {}) => {
  const probed = await probeStripe({ secretKey, apiBase, deadlineMs });
  return { ...diagnose(probed), phase: probed.kind === 'answer' ? 'answer' : probed.phase };
};

describe('When everything is well', () => {
  it('is connected, with account, version and clock', async () => {
    const found = await check(simulator.url);
    expect(found).toMatchObject({ result: 'connected', findings: [], account: 'acct_1SimulatedAccount', answeredVersion: API_VERSION });
    expect(found.requestId).toMatch(/^req_/);
    expect(Math.abs(found.clockSkewSeconds ?? 99)).toBeLessThan(3);
  });
});

describe('When there is no way to Stripe', () => {
  it('says DNS for a name that does not exist', async () => {
    expect(await check('https://no-such-host.invalid')).toMatchObject({ result: 'dns', phase: 'dns' });
  });

  it('says TCP for a closed port', async () => {
    const server = net.createServer();
    const port = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    const found = await check(`https://127.0.0.1:${port}`);
    expect(found).toMatchObject({ result: 'tcp', findings: [{ result: 'tcp', detail: expect.stringContaining('ECONNREFUSED') }] });
  });

  it('says TLS for a certificate that nobody trusts', async () => {
    const port = await listening(https.createServer(selfSigned(), (_request, response) => response.end(account)));
    const found = await check(`https://127.0.0.1:${port}`);
    expect(found).toMatchObject({ result: 'tls', findings: [{ detail: expect.stringMatching(/self-signed/i) }] });
  });

  it('says TLS when the other side speaks none', async () => {
    const plain = await answering((_request, response) => response.end(account));
    expect(await check(plain.replace('http:', 'https:'))).toMatchObject({ result: 'tls', phase: 'tls' });
  });

  it('says timeout, and in which phase, for a server that takes connections and hangs', async () => {
    const port = await listening(net.createServer((socket) => void socket.on('error', () => undefined)));
    expect(await check(`https://127.0.0.1:${port}`, { deadlineMs: 200 })).toMatchObject({ result: 'timeout', phase: 'tls' });
    expect(await check(`http://127.0.0.1:${port}`, { deadlineMs: 200 })).toMatchObject({ result: 'timeout', phase: 'answer' });
  });

  it('says that the connection was lost when it breaks before the answer is whole', async () => {
    const base = await answering((request, response) => {
      response.writeHead(200, { 'content-length': 1000 });
      response.write('{');
      setImmediate(() => request.socket.destroy());
    });
    expect(await check(base)).toMatchObject({ result: 'connection_lost' });
  });
});

describe('When Stripe refuses', () => {
  it('says that the key is wrong', async () => {
    simulator.addFault({ fault: 'auth_expired', times: 1 } as never);
    const found = await check(simulator.url);
    expect(found).toMatchObject({
      result: 'auth_error',
      account: null,
      findings: [{ detail: expect.stringContaining('api_key_expired') }],
    });
  });

  it.each([
    [403, { error: { message: 'This key does not have the required permissions' } }, 'forbidden'],
    [429, { error: { code: 'rate_limit', message: 'Too many requests' } }, 'rate_limited'],
    [500, { error: { type: 'api_error' } }, 'stripe_error'],
    [400, { error: { message: 'Invalid Stripe API version: 2026-10-28.endive' } }, 'api_version_mismatch'],
    [200, { id: 'x', object: 'something' }, 'bad_answer'],
  ])('a %i is told apart', async (status, body, result) => {
    const base = await answering((_request, response) => response.writeHead(status).end(JSON.stringify(body)));
    expect(await check(base)).toMatchObject({ result });
  });

  it('an HTML page is not Stripe', async () => {
    const base = await answering((_request, response) => response.end('<html>Captive portal</html>'));
    expect(await check(base)).toMatchObject({ result: 'bad_answer' });
  });
});

describe('When Stripe answers and something is off', () => {
  it('says that it answered in another version', async () => {
    const base = await answering((_request, response) => response.writeHead(200, { 'stripe-version': '2020-08-27' }).end(account));
    expect(await check(base)).toMatchObject({ result: 'api_version_mismatch', account: 'acct_1', answeredVersion: '2020-08-27' });
  });

  it.each([
    [600, 'behind'],
    [-600, 'ahead of'],
  ])('says that the clocks are %i s apart', async (seconds, which) => {
    const base = await answering((_request, response) => {
      response.sendDate = false;
      response.writeHead(200, { date: new Date(Date.now() + seconds * 1000).toUTCString(), 'stripe-version': API_VERSION }).end(account);
    });
    const found = await check(base);
    expect(found).toMatchObject({ result: 'clock_skew', account: 'acct_1', findings: [{ detail: expect.stringContaining(which) }] });
    expect(Math.abs((found.clockSkewSeconds ?? 0) - seconds)).toBeLessThan(3);
  });

  it('names everything that is wrong, the worst first', async () => {
    const base = await answering((_request, response) => {
      response.sendDate = false;
      response.writeHead(401, { date: new Date(0).toUTCString(), 'stripe-version': '2020-08-27' }).end(JSON.stringify({ error: {} }));
    });
    expect((await check(base)).findings.map(({ result }) => result)).toEqual(['auth_error', 'api_version_mismatch', 'clock_skew']);
  });
});

describe('The status page', () => {
  it('is shown as it is', async () => {
    const url = await answering((_request, response) =>
      response.end(
        JSON.stringify({ page: { updated_at: '2026-11-21T10:00:00Z' }, status: { indicator: 'major', description: 'Partial outage' } }),
      ),
    );
    expect(await readStatusPage(url)).toMatchObject({ reachable: true, indicator: 'major', description: 'Partial outage', error: null });
  });

  it('is said to be away or strange', async () => {
    expect(await readStatusPage('http://127.0.0.1:1/status.json')).toMatchObject({ reachable: false, error: expect.any(String) });
    const strange = await answering((_request, response) => response.end('{}'));
    expect(await readStatusPage(strange)).toMatchObject({ reachable: false, error: 'the answer is not that of a status page' });
    const failing = await answering((_request, response) => response.writeHead(503).end());
    expect(await readStatusPage(failing)).toMatchObject({ reachable: false, error: 'status 503' });
  });
});
