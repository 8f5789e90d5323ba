import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { createStripeAdapter } from './adapter.js';

describe('When the key changes', () => {
  it('the next call is made with the new one', async () => {
    const keys: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      keys.push(request.headers.authorization);
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":{"type":"invalid_request_error"}}');
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    let secretKey = 'sk_test_one';
    const { port } = server.address() as AddressInfo;
    const adapter = createStripeAdapter({ secretKey: () => secretKey, apiBase: `http://127.0.0.1:${port}` });

    await adapter.retrieveIntent('pi_1');
    secretKey = 'sk_test_two';
    await adapter.retrieveIntent('pi_1');

    expect(keys).toEqual(['Bearer sk_test_one', 'Bearer sk_test_two']);
    adapter.close();
    server.close();
  });
});
