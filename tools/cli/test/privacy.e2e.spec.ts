import { jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CustomerView, PaymentView, ReceiptView } from '@tidegate/contracts/responses';
import { query } from '@tidegate/local-stack/postgres/ping';
import { STREAMS } from '@tidegate/messaging/topology';
import { eventually } from '@tidegate/test-harness/eventually';
import { type Stack, stackForTests } from '@tidegate/test-harness/stack';
import { tidegate } from './console.js';

/** Stands in everything that is known about the person and in nothing else. */
const PERSON = 'Quirinia';
const EMAIL = 'quirinia.vandersloot@example.com';

let stack: Stack;
beforeAll(async () => {
  stack = await stackForTests();
}, 120_000);
afterAll(() => stack?.stop(), 60_000);

async function call<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
  const answer = await fetch(`${stack.urls.gateway[0]}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${stack.keys.default}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'idempotency-key': `${path}-1` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** The tables of every schema where one of these stands, as text or as bytes. */
async function tablesWith(texts: readonly string[]): Promise<string[]> {
  const tables = await query<{ name: string }>(
    stack.databaseUrl(),
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
     where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema') order by 1`,
  );
  expect(tables.length).toBeGreaterThan(40);
  const needles = texts.flatMap((text) => [text, Buffer.from(text).toString('hex')]);
  const looks = tables.map(({ name }) => `select '${name}' as name where exists (select from ${name} t where t::text ilike any ($1))`);
  const found = await query<{ name: string }>(stack.databaseUrl(), looks.join(' union all '), [needles.map((needle) => `%${needle}%`)]);
  return found.map(({ name }) => name);
}

/** The streams in which a message holds one of these. */
async function streamsWith(texts: readonly string[]): Promise<string[]> {
  const { host, username, password } = new URL(stack.natsUrl());
  const nc = await connect({ servers: host, user: username, pass: password });
  try {
    const found: string[] = [];
    for (const { stream } of STREAMS) {
      const consumer = await jetstream(nc).consumers.get(stream);
      const { num_pending } = await consumer.info();
      if (num_pending === 0) continue;
      let left = num_pending;
      for await (const message of await consumer.consume()) {
        if (texts.some((text) => message.string().includes(text))) found.push(stream);
        if (--left === 0) break;
      }
    }
    return [...new Set(found)];
  } finally {
    await nc.close();
  }
}

describe('tidegate privacy erase', () => {
  it('forgets a customer who has paid, in every table and stream, and at Stripe; the receipt stays', async () => {
    const about = { email: EMAIL, name: `${PERSON} van der Sloot`, metadata: { note: `calls herself ${PERSON}` } };
    const { id: customer } = await call<CustomerView>('POST', '/v1/customers', about);
    const payment = await call<PaymentView>('POST', '/v1/payments', {
      amount: 4200,
      currency: 'usd',
      payment_method: 'pm_card_visa',
      customer,
      receipt_email: EMAIL,
      description: `for ${PERSON}`,
      metadata: { who: PERSON },
    });
    await eventually(async () => expect((await call<ReceiptView>('GET', `/v1/payments/${payment.id}/receipt`)).status).toBe('rendered'), {
      timeoutMs: 30_000,
    });
    expect(await tablesWith([PERSON])).toEqual(expect.arrayContaining(['payments.customers', 'payments.request_details']));

    const env = { TIDEGATE_URL: stack.urls.gateway[0], TIDEGATE_API_KEY: stack.keys.default };
    const preview = await tidegate(`privacy erase --customer ${customer} --reason "asked to"`, { env });
    expect([preview.exitCode, preview.out]).toEqual([1, expect.stringContaining('Nothing was changed.')]);
    const erased = await tidegate(`privacy erase --customer ${customer} --reason "asked to" --yes`, { env });
    expect([erased.exitCode, erased.err]).toEqual([0, '']);
    expect(erased.out).toMatch(/status\s+erased/);

    await eventually(async () => expect(await tablesWith([PERSON, EMAIL])).toEqual([]), { timeoutMs: 30_000 });
    expect(await streamsWith([PERSON, EMAIL])).toEqual([]);
    const truth = (await (await fetch(`${stack.urls.simulator}/__truth`)).json()) as { customers: { id: string; deleted?: boolean }[] };
    expect(truth.customers.find(({ id }) => id === customer)?.deleted ?? true).toBe(true);
    expect((await call<ReceiptView>('GET', `/v1/payments/${payment.id}/receipt`)).status).toBe('rendered');
    expect((await call<PaymentView>('GET', `/v1/payments/${payment.id}`)).amount).toBe(4200);

    const again = await tidegate(`privacy erase --customer ${customer} --reason "asked to" --yes`, { env });
    expect([again.exitCode, again.out]).toEqual([0, expect.stringContaining('was erased at')]);
  }, 90_000);
});
