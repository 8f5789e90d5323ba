import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';

export interface ShopOptions {
  port: number;
  tidegateUrl: string;
  apiKey: string;
  /** How long a token of the page may be used to connect; as long as Tidegate thinks best by default. */
  tokenSeconds?: number;
}

export interface RunningShop {
  url: string;
  stop(): Promise<void>;
}

const FILES: Readonly<Record<string, { file: string; type: string }>> = {
  '/': { file: 'index.html', type: 'text/html; charset=utf-8' },
  '/main.js': { file: 'main.js', type: 'text/javascript; charset=utf-8' },
  '/billing-stream.js': { file: 'billing-stream.js', type: 'text/javascript; charset=utf-8' },
  '/money.js': { file: 'money.js', type: 'text/javascript; charset=utf-8' },
  '/style.css': { file: 'style.css', type: 'text/css; charset=utf-8' },
};

/** A shop's own server: it has the API key, gives its page away, and gets it what a browser needs. A real one would ask first who is logged in. */
export async function startShop(options: ShopOptions): Promise<RunningShop> {
  const server = createServer((request, response) => {
    answer(options, request, response).catch(() => problem(response, 502, 'Tidegate gave no answer'));
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(options.port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(options: ShopOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { tidegateUrl } = options;
  if (request.method === 'GET' && request.url === '/payments') return pass(response, await asked(options, 'GET', '/v1/payments?limit=20'));
  if (request.method === 'POST' && request.url === '/stream-token') {
    // Only this page may have one: another site's would come with another origin.
    if (request.headers['sec-fetch-site'] !== 'same-origin') return problem(response, 403, 'Not from this page');
    const body = options.tokenSeconds === undefined ? {} : { expires_in_seconds: options.tokenSeconds };
    const made = await asked(options, 'POST', '/v1/billing/stream-tokens', body);
    if (made.status !== 201) return pass(response, made);
    const { token, last_event_id } = made.body as { token: string; last_event_id: string };
    return pass(response, { status: 200, body: { url: `${tidegateUrl}/v1/billing/stream?token=${token}`, lastEventId: last_event_id } });
  }
  const file = request.method === 'GET' ? FILES[request.url ?? ''] : undefined;
  if (!file) return problem(response, 404, 'There is no such page');
  response.writeHead(200, {
    'content-type': file.type,
    'content-security-policy': `default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self' ${new URL(tidegateUrl).origin}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    'x-content-type-options': 'nosniff',
  });
  response.end(await readFile(new URL(`../page/${file.file}`, import.meta.url)));
}

interface Answer {
  status: number;
  body: unknown;
}

async function asked({ tidegateUrl, apiKey }: ShopOptions, method: string, path: string, body?: object): Promise<Answer> {
  const response = await fetch(`${tidegateUrl}${path}`, {
    method,
    headers: { authorization: `Bearer ${apiKey}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
    signal: AbortSignal.timeout(10_000),
  });
  return { status: response.status, body: await response.json() };
}

function pass(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify(body));
}

const problem = (response: ServerResponse, status: number, detail: string): void => pass(response, { status, body: { detail } });
