import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { Pool } from 'undici';

/**
 * The load generator of `bench -- simulator`, a process of its own: a webhook endpoint that only counts, and on command (IPC) pairs of
 * create and confirm, each on a fresh idempotency key, one after the other on every connection.
 */
export interface Order {
  readonly url: string;
  readonly seconds?: number;
  readonly pairs?: number;
  readonly connections: number;
  readonly confirm: boolean;
}

export interface Result {
  readonly pairs: number;
  readonly failed: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Deliveries that the endpoint got so far. */
  readonly deliveries: number;
}

const CREATE =
  'amount=4200&currency=usd&metadata[order]=6735&automatic_payment_methods[enabled]=true&automatic_payment_methods[allow_redirects]=never';
const CONFIRM = 'payment_method=pm_card_visa';

let deliveries = 0;
let keys = 0;
const endpoint = createServer((request, response) => {
  request.resume().on('end', () => {
    deliveries += 1;
    response.writeHead(200, { 'Content-Length': 0 }).end();
  });
});
endpoint.listen(0, '127.0.0.1', () => process.send?.({ endpoint: `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/` }));
process.on('message', (order: Order) => void run(order).then((result) => process.send?.(result)));

async function run(order: Order): Promise<Result> {
  const pool = new Pool(order.url, { connections: order.connections, pipelining: 1 });
  const took: number[] = [];
  let failed = 0;
  let left = order.pairs ?? Infinity;
  const startedAt = performance.now();
  const until = startedAt + (order.seconds ?? 3_600) * 1_000;
  const worker = async (): Promise<void> => {
    while (performance.now() < until && left > 0) {
      left -= 1;
      const sentAt = performance.now();
      if (await pair(pool, order.confirm)) took.push(performance.now() - sentAt);
      else failed += 1;
    }
  };
  await Promise.all(Array.from({ length: order.connections }, worker));
  const seconds = (performance.now() - startedAt) / 1_000;
  await pool.close();
  took.sort((a, b) => a - b);
  const at = (part: number): number => took[Math.min(took.length - 1, Math.floor(took.length * part))] ?? Number.NaN;
  return { pairs: took.length, failed, seconds, p50Ms: at(0.5), p99Ms: at(0.99), deliveries };
}

async function pair(pool: Pool, confirm: boolean): Promise<boolean> {
  const created = await post(pool, '/v1/payment_intents', CREATE);
  if (!confirm) return created.id !== undefined;
  const confirmed = await post(pool, `/v1/payment_intents/${created.id ?? ''}/confirm`, CONFIRM);
  return confirmed.status === 'succeeded';
}

async function post(pool: Pool, path: string, body: string): Promise<{ id?: string; status?: string }> {
  keys += 1;
  const answer = await pool.request({
    method: 'POST',
    path,
    body,
    headers: {
      authorization: 'Bearer sk_test_benchmark0001',
      'content-type': 'application/x-www-form-urlencoded',
      'idempotency-key': `bench-${process.pid}-${keys}`,
      'stripe-version': '2026-10-28.endive',
    },
  });
  return (await answer.body.json()) as { id?: string; status?: string };
}
