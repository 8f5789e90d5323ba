import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createStripeAdapter } from './adapter.js';

describe('The deadline of a call', () => {
  let server: Server;
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  it('holds over the whole exchange, even if a byte comes now and then', async () => {
    server = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const drip = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(drip));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const adapter = createStripeAdapter({
      secretKey: 'sk_test_x',
      apiBase: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      deadlineMs: 200,
    });
    const started = performance.now();
    expect(await adapter.retrieveIntent('pi_1')).toMatchObject({ kind: 'unknown', cause: 'timeout' });
    expect(performance.now() - started).toBeLessThan(2000);
    adapter.close();
  });
});
