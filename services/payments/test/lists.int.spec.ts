import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type PaymentView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { sql } from 'kysely';
import { checkoutsOfAll } from '../src/operator/operator-checkouts.store.js';
import { DECLINED, type PaymentsWorld, paymentsWorld } from './payments-world.js';

jest.setTimeout(60_000);

interface Page {
  data: PaymentView[];
  has_more: boolean;
  next_cursor: string | null;
}

describe('The list of payments', () => {
  let world: PaymentsWorld;
  beforeAll(async () => {
    world = await paymentsWorld();
  });
  afterAll(() => world.close());

  const page = async (query: Record<string, string>, tenant = 'default'): Promise<Page> =>
    world.json<Page>(await world.send(RPC.paymentList, { tenant, query }));
  const ids = async (query: Record<string, string>, tenant = 'default') =>
    (await page({ limit: '100', ...query }, tenant)).data.map(({ id }) => id);
  const bad = async (cursor: string) => world.send(RPC.paymentList, { query: { cursor } });

  it('is filtered by status, customer and time of creation, alone and together, newest first', async () => {
    const { id: customer } = await world.stripe('customers', { 'metadata[tenant_id]': 'default' });
    const first = await world.created({ customer });
    world.advance(60_000);
    const second = await world.created({ payment_method: DECLINED, customer });
    world.advance(60_000);
    const third = await world.created();
    expect(await ids({})).toEqual([third.id, second.id, first.id]);
    expect(await ids({ status: 'succeeded' })).toEqual([third.id, first.id]);
    expect(await ids({ status: 'requires_payment_method' })).toEqual([second.id]);
    expect(await ids({ customer: String(customer) })).toEqual([second.id, first.id]);
    expect(await ids({ created_gte: second.created_at })).toEqual([third.id, second.id]);
    expect(await ids({ created_lt: second.created_at })).toEqual([first.id]);
    expect(
      await ids({ created_gte: first.created_at, created_lt: third.created_at, status: 'succeeded', customer: String(customer) }),
    ).toEqual([first.id]);
    expect(await ids({ status: 'canceled' })).toEqual([]);
  });

  it('shows each payment once, page by page, while others are made and change', async () => {
    for (let n = 0; n < 5; n += 1) await world.created({ payment_method: DECLINED });
    const before = await ids({});
    const seen: string[] = [];
    for (let query: Record<string, string> = { limit: '2' }; ;) {
      const { data, next_cursor, has_more } = await page(query);
      seen.push(...data.map(({ id }) => id));
      expect(has_more).toBe(next_cursor !== null);
      if (next_cursor === null) break;
      query = { limit: '2', cursor: next_cursor };
      world.advance(10);
      await world.created();
      await world.confirm(data[0]?.id ?? '', { payment_method: 'pm_card_visa' });
    }
    expect(seen).toEqual(before);
  });

  it('of payments made at the same time loses none between two pages', async () => {
    const at = new Date('2026-12-24T00:00:00.000Z');
    await world.db.updateTable('payments').set({ created_at: at }).execute();
    const all = (await ids({})).length;
    const seen = new Set<string>();
    for (let cursor: string | null | undefined; cursor !== null;) {
      const { data, next_cursor } = await page({ limit: '3', ...(cursor ? { cursor } : {}) });
      for (const { id } of data) seen.add(id);
      cursor = next_cursor;
    }
    expect(seen.size).toBe(all);
  });

  it("never shows another tenant's, whatever filter or cursor is given", async () => {
    const { next_cursor } = await page({ limit: '1' });
    expect(await ids({}, 'other')).toEqual([]);
    expect(await ids({ status: 'succeeded' }, 'other')).toEqual([]);
    expect(await ids({ cursor: next_cursor ?? '' }, 'other')).toEqual([]);
  });

  it.each([
    ['nonsense', 'nonsense'],
    ['an empty list', encoded([])],
    ['another time format', encoded(['yesterday', 'pay_4f1c2b7a9d3e5f60'])],
    ['a year that no database knows', encoded(['+275760-09-13T00:00:00.000Z', 'pay_4f1c2b7a9d3e5f60'])],
    ['no id', encoded(['2026-11-21T06:00:00.000Z'])],
    ['another kind of id', encoded(['2026-11-21T06:00:00.000Z', 'rcp_4f1c2b7a9d3e5f60'])],
    ['a NUL in the id', encoded(['2026-11-21T06:00:00.000Z', 'pay_\0'])],
    ['an object', encoded({ a: 1 })],
  ])('refuses %s for a cursor', async (_what, cursor) => {
    const reply = await bad(cursor);
    expect([reply.status, world.json<{ code: string; errors: unknown }>(reply)]).toMatchObject([
      400,
      { code: 'validation.failed', errors: [{ path: 'cursor' }] },
    ]);
  });

  it('holds a page of 100 at most', async () => {
    await sql`
      INSERT INTO payments SELECT copy.* FROM payments AS one, generate_series(1, 120) AS n,
        jsonb_populate_record(one, jsonb_build_object('id', 'pay_copy' || lpad(n::text, 8, '0'), 'stripe_payment_intent', NULL)) AS copy
      WHERE one.id = (SELECT min(id) FROM payments WHERE tenant = 'default')`.execute(world.db);
    const { data, has_more } = await page({ limit: '1000' });
    expect([data.length, has_more]).toEqual([100, true]);
  });

  it.each([
    ['payments', RPC.paymentList, 'payments'],
    ["operators' payments", RPC.operatorPaymentList, 'payments'],
    ['checkouts', RPC.checkoutList, 'checkouts'],
    ["operators' checkouts", RPC.operatorCheckoutList, 'checkouts'],
    ['customers', RPC.customerList, 'customers'],
  ] as const)(
    'of %s with the most metadata that there can be fits into a message of the broker, page by page',
    async (_which, subject, table) => {
      const tenant = `wordy-${subject.split('.')[2]}`;
      await wordyRows(world, table, tenant, 100);
      const seen = new Set<string>();
      for (let cursor: string | null | undefined; cursor !== null;) {
        const reply = await world.send(subject, { tenant, query: { tenant, limit: '100', ...(cursor ? { cursor } : {}) } });
        expect(Buffer.byteLength(JSON.stringify(reply))).toBeLessThan(USUAL_MAX_PAYLOAD);
        const { data, has_more, next_cursor } = world.json<Page>(reply);
        expect([data.length > 0, has_more]).toEqual([true, next_cursor !== null]);
        for (const { id } of data) seen.add(id);
        cursor = next_cursor;
      }
      expect(seen.size).toBe(100);
    },
  );

  it.each([
    ['first page', 'checkouts_created_at_index', {}],
    [
      'next page',
      'checkouts_created_at_index',
      { after: { created_at: new Date('2026-11-21T06:00:00.000Z'), id: 'cks_4f1c2b7a9d3e5f60' } },
    ],
    ['late successes', 'checkouts_late_success_index', { lateSuccess: 'held' }],
  ])("of all tenants' checkouts reads its %s along an index, however many there are", async (_which, index, query) => {
    const plan = await world.db.transaction().execute(async (tx) => {
      // The table is empty here, so whatever needs no index looks cheap.
      await sql`SET LOCAL enable_seqscan = off`.execute(tx);
      await sql`SET LOCAL enable_sort = off`.execute(tx);
      return (await sql<object>`EXPLAIN (COSTS off) ${checkoutsOfAll({ limit: 20, ...query })}`.execute(tx)).rows;
    });
    expect(JSON.stringify(plan)).toContain(`Index Scan using ${index}`);
    expect(JSON.stringify(plan)).not.toContain('Sort');
  });
});

function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** Of a nats-server that nobody has told otherwise. */
const USUAL_MAX_PAYLOAD = 1024 * 1024;
/** What fits into a body of 64 KiB and grows most on its way: a quote is two bytes there, and four in a text within a text. */
const WORDY = Object.fromEntries(Array.from({ length: 45 }, (_, n) => [`${n}`.padEnd(40, '"'), '"'.repeat(500)]));
const CREATE = {
  payments: { subject: RPC.paymentCreate, body: { amount: 4200, currency: 'usd' }, key: 'id', changes: sql`'stripe_payment_intent', NULL` },
  checkouts: {
    subject: RPC.checkoutCreate,
    body: {
      line_items: [{ name: 'Vase', quantity: 1, unit_amount: 4200 }],
      ...{ currency: 'usd', success_url: 'https://shop.example/done', cancel_url: 'https://shop.example/back' },
    },
    key: 'id',
    changes: sql`'stripe_checkout_session', 'cs_test_' || n`,
  },
  customers: { subject: RPC.customerCreate, body: {}, key: 'ref', changes: sql`'command_id', n, 'stripe_customer', 'cus_' || n` },
} as const;

/** One that is made with the most metadata, and copies of it. */
async function wordyRows(world: PaymentsWorld, table: keyof typeof CREATE, tenant: string, count: number): Promise<void> {
  const { subject, body, key, changes } = CREATE[table];
  expect((await world.send(subject, { tenant, body: { ...body, metadata: WORDY } })).status).toBe(201);
  const [name, id] = [sql.table(table), sql.ref(key)];
  await sql`
    INSERT INTO ${name} SELECT copy.* FROM ${name} AS one, generate_series(2, ${count}::int) AS n,
      jsonb_populate_record(one, jsonb_build_object(${sql.lit(key)}, left(${id}, 4) || md5(${tenant} || n), ${changes})) AS copy
    WHERE one.tenant = ${tenant}`.execute(world.db);
}
