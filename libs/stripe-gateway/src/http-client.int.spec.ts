import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createStripeAdapter } from './adapter.js';
import { lastWord } from './last-word.js';

let server: Server;
let adapter: ReturnType<typeof createStripeAdapter>;
afterEach(() => {
  adapter.close();
  server.closeAllConnections();
  server.close();
});

async function serve(answer: RequestListener, deadlineMs: number): Promise<void> {
  server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  adapter = createStripeAdapter({
    secretKey: 'sk_test_x',
    apiBase: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    deadlineMs,
  });
}

describe('The deadline of a call', () => {
  it('holds over the whole exchange, even if a byte comes now and then', async () => {
    await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const drip = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(drip));
    }, 200);
    const started = performance.now();
    expect(await adapter.retrieveIntent('pi_1')).toMatchObject({ kind: 'unknown', cause: 'timeout' });
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it('holds while somebody thinks about whether to send at all', async () => {
    let answered = 0;
    await serve((_, response) => void ((answered += 1), response.end('{}')), 200);
    let decide!: (may: boolean) => void;
    const decided = new Promise<boolean>((resolve) => (decide = resolve));
    expect(
      await lastWord.run(
        () => decided,
        () => adapter.retrieveIntent('pi_1'),
      ),
    ).toMatchObject({ kind: 'unknown', cause: 'timeout' });
    decide(true);
    // One more call, so that a request sent after all would have come.
    expect(await adapter.listIntents({})).toMatchObject({ kind: 'unknown', cause: 'bad_body' });
    expect(answered).toBe(1);
  });
});

describe('Whoever has the last word', () => {
  it.each(['the deadline', 'the loss of a kept connection'])(
    'comes too late after %s, and what has a body is not sent, either',
    async (what) => {
      const asked: string[] = [];
      await serve(
        (request, response) => {
          asked.push(`${request.method} ${request.url}`);
          response.end(JSON.stringify({ id: 'pi_1', object: 'payment_intent' }));
        },
        what === 'the deadline' ? 200 : 5_000,
      );
      await adapter.retrieveIntent('pi_0');
      let decide!: (may: boolean) => void;
      const decided = new Promise<boolean>((resolve) => (decide = resolve));
      const cancel = lastWord.run(
        () => {
          if (what !== 'the deadline') server.closeAllConnections();
          return decided;
        },
        () => adapter.cancelIntent('pi_1', {}, 'key'),
      );
      expect(await cancel).toMatchObject({ kind: 'unknown', cause: what === 'the deadline' ? 'timeout' : 'connection' });
      decide(true);
      await adapter.retrieveIntent('pi_2');
      expect(asked).toEqual([
        'GET /v1/payment_intents/pi_0?expand[0]=latest_charge',
        'GET /v1/payment_intents/pi_2?expand[0]=latest_charge',
      ]);
    },
  );

  it.each(['on a new connection', 'on one that was kept'])('is asked before anything is sent, %s', async (which) => {
    const asked: string[] = [];
    await serve((request, response) => {
      asked.push(request.url ?? '');
      response.end(JSON.stringify({ id: 'pi_1', object: 'payment_intent' }));
    }, 5_000);
    if (which === 'on one that was kept') await adapter.retrieveIntent('pi_0');
    const before = asked.length;
    expect(
      await lastWord.run(
        () => Promise.resolve(false),
        () => adapter.retrieveIntent('pi_1'),
      ),
    ).toMatchObject({ kind: 'unknown' });
    await lastWord.run(
      () => Promise.resolve(true),
      () => adapter.retrieveIntent('pi_2'),
    );
    expect(asked.slice(before)).toEqual([expect.stringContaining('pi_2')]);
  });
});
