import { type Envelope } from '@tidegate/contracts/envelope';
import { customerErased } from '@tidegate/contracts/events/customer';
import { type CustomerView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { type Failpoints } from '@tidegate/database/failpoints';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { sql } from 'kysely';
import { customerFailpoints } from '../src/failpoints.js';
import { checkoutWorld, type CheckoutWorld } from './checkout-world.js';
import { VISA } from './payments-world.js';

jest.setTimeout(60_000);

const HOUR = 3_600_000;
const MAKE = 'POST /v1/customers';
const DELETE = 'DELETE /v1/customers/:id';
const person = { email: 'ada@example.com', name: 'Ada', locale: 'de', metadata: { crm: '7' } };

describe('A customer', () => {
  let world: CheckoutWorld;
  let dyingAt: string | null = null;
  let died = 0;
  const dying: Failpoints = {
    async hit(name) {
      if (name !== dyingAt) return;
      died += 1;
      throw new Error(`died at ${name}`);
    },
  };
  const lines: string[] = [];
  beforeAll(async () => {
    world = await checkoutWorld({ deadlineMs: 300, runMs: 3000, onLine: (line) => void lines.push(line) });
    world.start(dying);
  });
  afterEach(() => world.simulator.clearFaults());
  afterAll(() => world.close());

  const make = (key: string, body: object = person, tenant = 'default', replica = 0) =>
    world.send(RPC.customerCreate, { key, body, tenant }, replica);
  const made = async (key: string): Promise<CustomerView> => world.json(await make(key));
  const see = async (id: string, tenant = 'default') => world.send(RPC.customerGet, { params: { id }, tenant });
  const erase = (id: string, tenant = 'default', replica = 0) =>
    world.send(RPC.customerErase, { params: { id }, tenant, body: { reason: 'asked to' }, key: null }, replica);
  const deletedAtStripe = (id: string) =>
    fetch(`${world.simulator.url}/v1/customers/${id}`, { method: 'DELETE', headers: { authorization: 'Bearer sk_test_simulator' } });
  const atStripe = (email: string) => world.simulator.world.customers.all().filter((one) => one.email === email);

  const holds = async (table: string, text: string): Promise<boolean> =>
    JSON.stringify((await sql`SELECT * FROM ${sql.table(table)}`.execute(world.db)).rows).includes(text);
  const published = async (text: string): Promise<number> => {
    const { rows } = await sql<{ n: number }>`
      SELECT count(*)::int AS n FROM outbox WHERE position(${text} IN convert_from(bytes, 'UTF8')) > 0`.execute(world.db);
    return rows[0]?.n ?? -1;
  };

  it('whose request is late is made by the loop, not by the request', async () => {
    const body = { ...person, email: 'late@example.com' };
    const asked = {
      ...{ tenant: 'default', actor: 'test', request_id: 'req_late', correlation_id: 'cor_late', route: `POST ${RPC.customerCreate}` },
      ...{ params: {}, query: {}, idempotency_key: 'late', respond_async: false, livemode: false, body },
    };
    const late = await world.parts.handlers[RPC.customerCreate]?.(asked, Date.now() - 10_000);
    expect([late?.status, atStripe(body.email)]).toEqual([503, []]);
    await world.settle();
    expect(world.json<CustomerView>(await make('late', body)).email).toBe(body.email);
    expect(atStripe(body.email)).toHaveLength(1);
  });

  it('is made at Stripe with our ids, and known here by its id there', async () => {
    const reply = await make('first');
    expect(reply.status).toBe(201);
    const customer = world.json<CustomerView>(reply);
    expect(customer).toMatchObject({ object: 'customer', status: 'active', ...person, erased_at: null });
    const [one] = atStripe('ada@example.com');
    expect(one).toMatchObject({ id: customer.id, metadata: { crm: '7', tenant_id: 'default', command_id: expect.any(String) } });
    expect((await make('first')).body).toBe(reply.body);
    expect((await make('first', { ...person, name: 'Eve' })).status).toBe(422);
    expect(world.json(await see(customer.id))).toEqual(customer);
  });

  it('of another tenant is not there: not to see, to erase, or to pay and check out with', async () => {
    const { id } = await made('mine');
    expect((await see(id, 'other')).status).toBe(404);
    expect((await erase(id, 'other')).status).toBe(404);
    expect(JSON.parse((await world.send(RPC.customerList, { tenant: 'other' })).body)).toMatchObject({ data: [] });
    expect((await world.create({ customer: id }, { tenant: 'other' })).status).toBe(404);
    expect((await world.open({ customer: id }, { tenant: 'other' })).status).toBe(404);
  });

  it('that is known here is used without asking Stripe first', async () => {
    const { id } = await made('known');
    world.simulator.addFault({ fault: 'error_503', route: 'GET /v1/customers/:id', times: 10 });
    expect(world.json(await world.create({ customer: id, payment_method: VISA })).status).toBe('succeeded');
    const checkout = await world.opened({ customer: id });
    expect(world.sessionsOf(checkout.id)[0]?.customer).toBe(id);
  });

  it.each([
    'hang',
    'reset_before',
    'reset_after',
    'cut_body',
    'error_500_before',
    'error_500_after',
    'error_502_html',
    'error_503',
    'rate_limit',
    'key_in_use',
  ] as const)('whose making meets %s is made once, and its key gets it', async (fault) => {
    world.simulator.addFault({ fault, route: MAKE, times: 1 });
    const body = { email: `${fault}@example.com` };
    const first = await make(fault, body);
    expect([201, 503]).toContain(first.status);
    await world.settle(HOUR);
    const [second, third] = [await make(fault, body), await make(fault, body)];
    expect(second.status).toBe(201);
    expect(third.body).toBe(second.body);
    expect(atStripe(body.email).map((one) => one.id)).toEqual([world.json(second).id]);
  });

  it.each(customerFailpoints.filter((name) => /accept|create/.test(name)))('is made once when the process dies at %s', async (name) => {
    const body = { email: `${name}@example.com` };
    dyingAt = name;
    died = 0;
    const first = await make(name, body, 'default', 1);
    dyingAt = null;
    expect({ status: first.status, died }).toEqual({ status: 503, died: 1 });
    await world.vanish();
    await world.settle(HOUR);
    const second = await make(name, body);
    expect(second.status).toBe(201);
    expect(atStripe(body.email).map((one) => one.id)).toEqual([world.json(second).id]);
  });

  it('is made once when who takes over cannot look for it before Stripe has forgotten the key', async () => {
    const body = { email: 'taken.over@example.com' };
    dyingAt = 'payments.customer.create.after_call';
    await make('taken over', body, 'default', 1);
    dyingAt = null;
    await world.vanish();
    world.simulator.addFault({ fault: 'error_503', route: 'GET /v1/customers', times: 1 });
    await world.parts.carryOnObjectsOnce(60_000);
    world.advance(25 * HOUR);
    await world.settle(HOUR);
    const answer = await make('taken over', body);
    expect(atStripe(body.email).map((one) => one.id)).toEqual([world.json(answer).id]);
  });

  it('that Stripe refuses learns which field is wrong, and its mail address stays in no log line, no answer and no event', async () => {
    const email = 'quoted.ada@example-.com';
    const refused = { code: 'payments.rejected_by_stripe', detail: 'Invalid email address: [mail address]' };
    const reply = await make('refused', { email });
    expect([reply.status, JSON.parse(reply.body)]).toMatchObject([422, { ...refused, errors: [{ path: 'email' }] }]);
    expect((await make('refused', { email })).body).toBe(reply.body);
    const payment = await world.create({ receipt_email: email });
    expect([payment.status, JSON.parse(payment.body).detail]).toEqual([422, expect.stringContaining('[mail address]')]);
    for (const table of ['customers', 'idempotency_keys', 'events', 'payments']) expect(await holds(table, 'quoted')).toBe(false);
    expect(await published('quoted')).toBe(0);
    expect(lines.filter((line) => line.includes('"event":"stripe_api_error"') && line.includes('[mail address]'))).toHaveLength(2);
    expect(lines.join('')).not.toContain('quoted');
  });

  it('that is erased leaves nothing about the person, here, in events or at Stripe', async () => {
    const secret = 'forget.me@example.com';
    const { id } = world.json<CustomerView>(await make('erase-me', { email: secret, name: 'Forget Me', metadata: { note: secret } }));
    const paid = await world.created({ customer: id, receipt_email: secret, description: secret });
    await world.settle();
    const reply = await erase(id);
    expect(world.json(reply)).toMatchObject({ id, status: 'erased', email: null, name: null, locale: null, metadata: {} });
    expect(world.json(await erase(id))).toEqual(world.json(reply));
    expect(world.simulator.world.deletedCustomers.get(id)).toBeDefined();
    for (const table of ['customers', 'idempotency_keys', 'request_details', 'events', 'payment_work'])
      expect(await holds(table, 'orget')).toBe(false);
    expect(await published('orget')).toBe(0);
    const again = await make('erase-me', { email: secret, name: 'Forget Me', metadata: { note: secret } });
    expect(JSON.parse(again.body)).toMatchObject({ code: 'idempotency.key_expired' });
    expect((await world.get(paid.id)).status).toBe('succeeded');
    expect((await world.create({ customer: id })).status).toBe(404);
    const actions = await sql`SELECT action, target, reason FROM operator_actions WHERE target = ${id}`.execute(world.db);
    expect(actions.rows).toEqual([{ action: 'customer.erase', target: id, reason: 'asked to' }]);
  });

  it.each(['here', 'at Stripe', 'here and then there'])('that is erased %s is told of once, by its id alone', async (where) => {
    const { id } = await made(`told ${where}`);
    if (where !== 'at Stripe') await erase(id);
    if (where !== 'here') await deletedAtStripe(id);
    if (where !== 'at Stripe') await erase(id);
    await world.tell((news) => news.filter(({ envelope }) => envelope.type === 'customer.deleted'));
    await world.settle(HOUR);
    const { erased_at } = world.json<CustomerView>(await see(id));
    const { rows } = await sql<{ subject: string; message: Envelope }>`
      SELECT subject, convert_from(bytes, 'UTF8')::jsonb AS message FROM outbox WHERE aggregate = ${id}`.execute(world.db);
    expect(rows).toEqual([
      { subject: customerErased.subject, message: expect.objectContaining({ tenant: 'default', aggregate: { id, version: 1 } }) },
    ]);
    expect(rows[0]?.message.data).toEqual({ customer: id, erased_at, livemode: false });
  });

  it('that could not be erased is told to nobody', async () => {
    const { id } = await made('not-told');
    dyingAt = 'payments.customer.erase.before_commit';
    expect((await erase(id, 'default', 1)).status).toBe(503);
    dyingAt = null;
    expect(world.json(await see(id))).toMatchObject({ status: 'active', ...person });
    expect((await sql`SELECT subject FROM outbox WHERE aggregate = ${id}`.execute(world.db)).rows).toEqual([]);
  });

  it.each(['here', 'at Stripe', 'here, and at Stripe before that was done,'])(
    'that Stripe made twice, because its list was behind an error that it kept, and that is erased %s is erased twice',
    async (where) => {
      const email = `twice.${where.length}@example.com`;
      const key = `twice ${where}`;
      world.simulator.addFault({ fault: 'error_500_after', route: MAKE, times: 1 });
      world.simulator.addFault({ fault: 'list_lag', route: 'GET /v1/customers', times: 1 });
      await make(key, { email });
      await world.settle(HOUR);
      const { id } = world.json<CustomerView>(await make(key, { email }));
      expect(atStripe(email)).toHaveLength(2);
      if (where.startsWith('here,')) world.simulator.addFault({ fault: 'error_503', route: 'GET /v1/customers', times: 1 });
      if (where.startsWith('here')) await erase(id);
      if (where !== 'here') await deletedAtStripe(id);
      await world.tell((news) => news.filter(({ envelope }) => envelope.type === 'customer.deleted'));
      await world.settle(HOUR);
      expect(world.json(await see(id))).toMatchObject({ status: 'erased' });
      expect(atStripe(email)).toEqual([]);
    },
  );

  it('that is deleted at Stripe before it is known by its id there is erased here as well', async () => {
    const email = 'early@example.com';
    world.simulator.addFault({ fault: 'reset_after', route: MAKE, times: 1 });
    world.simulator.addFault({ fault: 'error_503', route: 'GET /v1/customers', times: 1 });
    expect((await make('early', { email })).status).toBe(503);
    const id = atStripe(email)[0]?.id ?? '';
    await deletedAtStripe(id);
    const tell = () => world.tell((news) => news.filter(({ envelope }) => envelope.type === 'customer.deleted'));
    await expect(tell()).rejects.toThrow('has not recorded its id yet');
    await world.settle(HOUR);
    await tell();
    await world.settle(HOUR);
    expect(world.json(await see(id))).toMatchObject({ status: 'erased', email: null });
    expect(await holds('customers', email)).toBe(false);
  });

  it.each(['here', 'at Stripe'])(
    'that is erased %s while a payment is under way is forgotten by that payment when it has ended',
    async (where) => {
      const { id } = await made(`under-way ${where}`);
      const told = { receipt_email: 'under.way@example.com', description: 'for Ada', locale: 'de' };
      const payment = await world.created({ customer: id, ...told, capture_method: 'manual' });
      const details = async () => {
        const reply = await world.send(RPC.paymentGet, { params: { id: payment.id }, query: { expand: 'details' } });
        return world.json<{ status: string; details: object }>(reply);
      };
      if (where === 'here') await erase(id);
      else await deletedAtStripe(id);
      await world.tell((news) => news.filter(({ envelope }) => envelope.type === 'customer.deleted'));
      await world.settle(HOUR);
      expect(world.json(await see(id))).toMatchObject({ status: 'erased' });
      expect(await details()).toMatchObject({ status: 'authorized', details: told });
      await world.capture(payment.id);
      expect(JSON.stringify(await details())).not.toMatch(/under.way|Ada/);
      await world.settle(30 * HOUR);
      expect(await details()).toMatchObject({ status: 'succeeded', details: {} });
      expect(JSON.stringify(await details())).not.toMatch(/under.way|Ada/);
    },
  );

  it('that is erased before the news of its paid page comes is not told of again by that page', async () => {
    const { id } = await made('page-of-erased');
    const checkout = await world.opened({ customer: id });
    expect(await world.pay(checkout.stripe_checkout_session)).toBe(200);
    await erase(id);
    await world.tell();
    await world.settle(HOUR);
    const { payment } = await world.seen(checkout.id);
    const reply = await world.send(RPC.paymentGet, { params: { id: payment ?? '' }, query: { expand: 'details' } });
    expect(JSON.parse(reply.body)).toMatchObject({ status: 'succeeded', details: { line_items: [{ name: 'Vase' }] } });
    expect(reply.body).not.toContain('@example.com');
  });

  it.each(['hang', 'reset_before', 'reset_after', 'error_500_before', 'error_500_after', 'rate_limit'] as const)(
    'is erased here at once when deleting it meets %s, and at Stripe as soon as it answers',
    async (fault) => {
      const email = `gone-${fault}@example.com`;
      const { id } = world.json<CustomerView>(await make(`gone-${fault}`, { email }));
      world.simulator.addFault({ fault, route: DELETE, times: 1 });
      expect(world.json(await erase(id))).toMatchObject({ status: 'erasing', email: null });
      await world.settle(HOUR);
      expect(world.json(await see(id))).toMatchObject({ status: 'erased', email: null });
      expect(atStripe(email)).toEqual([]);
    },
  );

  it.each(customerFailpoints.filter((name) => /erase|delete/.test(name)))('is erased when the process dies at %s', async (name) => {
    const email = `${name}@example.com`;
    const { id } = world.json<CustomerView>(await make(`dies-${name}`, { email }));
    dyingAt = name;
    died = 0;
    expect((await erase(id, 'default', 1)).status).toBe(503);
    dyingAt = null;
    expect(died).toBe(1);
    await world.vanish();
    await erase(id);
    await world.settle(HOUR);
    expect(world.json(await see(id))).toMatchObject({ status: 'erased', email: null });
    expect(atStripe(email)).toEqual([]);
  });

  it('that somebody deletes at Stripe is erased here, too', async () => {
    const { id } = await made('dashboard');
    await deletedAtStripe(id);
    await world.tell((news) => news.filter(({ envelope }) => envelope.type === 'customer.deleted'));
    expect(world.json(await see(id))).toMatchObject({ status: 'erased', email: null, metadata: {} });
  });

  it('stands in a list with filters and cursors', async () => {
    const list = async (query: Record<string, string>) =>
      JSON.parse((await world.send(RPC.customerList, { query })).body) as { data: CustomerView[]; has_more: boolean; next_cursor: string };
    const first = await list({ limit: '1' });
    const second = await list({ limit: '1', cursor: first.next_cursor });
    expect(first.has_more).toBe(true);
    expect(first.data[0]?.id).not.toBe(second.data[0]?.id);
    expect((await list({ email: 'hang@example.com' })).data).toHaveLength(1);
    expect((await world.send(RPC.customerList, { query: { cursor: 'nonsense' } })).status).toBe(400);
  });
});
