import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { type SubscriptionCommandView } from '@tidegate/contracts/ops/subscription-commands';
import { RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { type SubscriptionView } from '@tidegate/contracts/subscription';
import { sql } from 'kysely';
import { cancelOrphan } from '../src/subscription/command.store.js';
import { type SubscriptionWorld, subscriptionWorld } from './subscription-world.js';

jest.setTimeout(60_000);

const CREATE = 'POST /v1/subscriptions';
const PAY = 'POST /v1/invoices/:id/pay';
const UPDATE = 'POST /v1/subscriptions/:id';
const CANCEL = 'DELETE /v1/subscriptions/:id';
const LIST = 'GET /v1/subscriptions';
const HOUR_MS = 3_600_000;

let world: SubscriptionWorld;
let price: string;
let dunningLooks = 0;
const lines: string[] = [];
beforeAll(async () => {
  world = await subscriptionWorld({
    deadlineMs: 2000,
    windowMs: HOUR_MS,
    onLine: (line) => lines.push(line),
    onConnection: (client) => {
      const query = client.query.bind(client) as (...args: unknown[]) => unknown;
      client.query = ((...args: unknown[]) => {
        const text = typeof args[0] === 'string' ? args[0] : ((args[0] as { text?: string }).text ?? '');
        if (text.includes('FROM invoices WHERE dunning IS NOT NULL GROUP BY')) dunningLooks += 1;
        return query(...args);
      }) as typeof client.query;
    },
  });
  price = await world.price();
});
afterEach(async () => {
  world.simulator.clearFaults();
  for (const name of ['stripe', 'stripe_reads']) await world.send(RPC.breakerClose, { params: { name }, body: { reason: 'test' } });
});
afterAll(() => world.close());

const view = (reply: HttpReply): SubscriptionView => world.json<SubscriptionView>(reply);
const code = (reply: HttpReply): [number, string] => [reply.status, (JSON.parse(reply.body) as { code: string }).code];
const create = (customer: string, key: string, more: object = {}) =>
  world.send(RPC.subscriptionCreate, { body: { customer, items: [{ price }], ...more }, key });
const on = (subject: RpcSubject, id: string, body: object, key?: string) =>
  world.send(subject, { params: { id }, body, ...(key === undefined ? {} : { key }) });
const made = (customer: string) => world.simulator.world.subscriptions.all().filter((one) => one.customer === customer);
const living = (customer: string) => made(customer).filter(({ status }) => !['canceled', 'incomplete_expired'].includes(status));
const charged = (customer: string) =>
  world.simulator.world.paymentIntents.all().filter((one) => one.customer === customer && one.status === 'succeeded');
const later = async (ms: number) => {
  world.advance(ms);
  await world.carryOn();
};
const open = async (query: Record<string, string> = {}) =>
  world.json<{ data: SubscriptionCommandView[] }>(await world.send(RPC.operatorSubscriptionCommandList, { query })).data;
const openOf = async (customer: string): Promise<SubscriptionCommandView> => {
  const found = (await open()).find((one) => one.customer === customer);
  if (!found) throw new Error('No request of this customer is open');
  return found;
};
const commandOf = async (key: string) =>
  (await world.db.selectFrom('idempotency_keys').select('command_id').where('key', '=', key).executeTakeFirstOrThrow()).command_id;
const resolve = (id: string) => on(RPC.operatorSubscriptionCommandResolve, id, { reason: 'a customer asks' });
const giveUp = (id: string) => on(RPC.operatorSubscriptionCommandGiveUp, id, { reason: 'a customer asks' });

describe('A request for a subscription that nobody could send', () => {
  it('ends as certainly unsent when its time is over, and is not carried out days later', async () => {
    const customer = await world.customer();
    world.simulator.addFault({ fault: 'rate_limit', route: CREATE, times: 0 });
    expect((await create(customer, 'unsent')).status).toBe(503);
    await later(HOUR_MS + 1000);
    world.simulator.clearFaults();
    await later(24 * HOUR_MS);
    const reply = await create(customer, 'unsent');
    expect(code(reply)).toEqual([422, 'subscriptions.expired']);
    expect((await create(customer, 'unsent')).body).toBe(reply.body);
    await world.settle();
    expect(made(customer)).toEqual([]);
    expect(await world.metric('subscription_commands_total', 'kind="create",result="expired"')).toEqual([1]);
  });

  it('ends so at the time that it says itself, also while Stripe takes no calls at all', async () => {
    const customer = await world.customer();
    const not_after = new Date(world.clock.now().getTime() + 60_000).toISOString();
    world.simulator.addFault({ fault: 'rate_limit', route: CREATE, times: 1 });
    expect((await create(customer, 'own time', { not_after })).status).toBe(503);
    for (const name of ['stripe', 'stripe_reads']) await world.send(RPC.breakerIsolate, { params: { name }, body: { reason: 'test' } });
    await later(30_000);
    expect((await create(customer, 'own time', { not_after })).status).toBe(503);
    await later(31_000);
    expect(code(await create(customer, 'own time', { not_after }))).toEqual([422, 'subscriptions.expired']);
    for (const name of ['stripe', 'stripe_reads']) await world.send(RPC.breakerClose, { params: { name }, body: { reason: 'test' } });
    await world.settle();
    expect(made(customer)).toEqual([]);
    const past = await create(customer, 'past', { not_after: new Date(world.clock.now().getTime() - 1000).toISOString() });
    expect(code(past)).toEqual([400, 'validation.failed']);
  });

  it.each([
    ['reset_after', 'made', [201]],
    ['reset_before', 'not made', [422]],
  ])('and whose call had no answer (%s) is looked for first, and is %s', async (fault, what, [status]) => {
    const customer = await world.customer();
    world.simulator.addFault({ fault: fault as 'reset_after', route: CREATE, times: 1 });
    world.simulator.addFault({ fault: 'error_503', route: LIST, times: 0 });
    expect((await create(customer, fault)).status).toBe(503);
    await later(2 * HOUR_MS);
    expect((await create(customer, fault)).status).toBe(503);
    world.simulator.clearFaults();
    await world.settle();
    expect((await create(customer, fault)).status).toBe(status);
    expect(made(customer)).toHaveLength(what === 'made' ? 1 : 0);
    // Its time is over, so nobody is charged: the payer can do it in the browser.
    expect(charged(customer)).toEqual([]);
  });

  it('and whose first call had no answer is looked for again at its end: what that made may have come after the look', async () => {
    const customer = await world.customer();
    world.simulator.addFault({ fault: 'reset_before', route: CREATE, times: 1 });
    world.simulator.addFault({ fault: 'rate_limit', route: CREATE, times: 0 });
    expect((await create(customer, 'after the look')).status).toBe(503);
    expect(await openOf(customer)).toMatchObject({ answer_missing: false });
    const command_id = await commandOf('after the look');
    world.simulator.clearFaults();
    await world.subscribed({ customer, trial_period_days: '30', 'metadata[tenant_id]': 'default', 'metadata[command_id]': command_id });
    world.lost();
    await later(2 * HOUR_MS);
    expect((await create(customer, 'after the look')).status).toBe(201);
    expect(made(customer)).toHaveLength(1);
  });

  it('and shows at Stripe all the same after its end is canceled', async () => {
    const customer = await world.customer();
    world.simulator.addFault({ fault: 'rate_limit', route: CREATE, times: 0 });
    await create(customer, 'late effect');
    const command_id = await commandOf('late effect');
    await later(2 * HOUR_MS);
    world.simulator.clearFaults();
    expect((await create(customer, 'late effect')).status).toBe(422);
    await world.subscribed({ customer, trial_period_days: '30', 'metadata[tenant_id]': 'default', 'metadata[command_id]': command_id });
    await world.tell();
    await world.settle();
    expect(living(customer)).toEqual([]);
  });
});

describe('A first invoice', () => {
  it('is not paid while somebody cancels its subscription', async () => {
    const customer = await world.customer();
    world.simulator.addFault({ fault: 'rate_limit', route: PAY, times: 1 });
    expect((await create(customer, 'canceled meanwhile')).status).toBe(503);
    await world.tell();
    const id = living(customer)[0]?.id ?? '';
    world.simulator.addFault({ fault: 'error_503', route: CANCEL, times: 0 });
    expect((await on(RPC.subscriptionCancel, id, {}, 'cancel meanwhile')).status).toBe(503);
    await later(60_000);
    expect(charged(customer)).toEqual([]);
    world.simulator.clearFaults();
    await world.settle();
    expect(view(await on(RPC.subscriptionCancel, id, {}, 'cancel meanwhile')).status).toBe('incomplete_expired');
    expect(charged(customer)).toEqual([]);
  });
});

describe('A trial without a payment method', () => {
  it('has a client_secret to give one', async () => {
    const trial = view(await create(await world.customer(null), 'trial', { trial_days: 7 }));
    expect(trial).toMatchObject({ status: 'trialing', client_secret: expect.stringMatching(/^seti_.+_secret_/) });
    const [setup] = (trial.client_secret ?? '').split('_secret_');
    await world.stripe(`setup_intents/${setup}/confirm`, { payment_method: 'pm_card_visa', return_url: 'https://shop.example/back' });
    const changed = await on(RPC.subscriptionChange, trial.id, { cancel_at_period_end: false });
    expect([changed.status, view(changed).client_secret]).toEqual([200, undefined]);
  });
});

describe('A change that comes while another has no certain outcome', () => {
  it('is told to come again, and nothing is begun', async () => {
    const customer = await world.customer();
    const { id } = view(await create(customer, 'changed twice'));
    world.simulator.addFault({ fault: 'error_503', route: UPDATE, times: 0 });
    expect((await on(RPC.subscriptionChange, id, { items: [{ price, quantity: 2 }] }, 'first')).status).toBe(503);
    const asked = {
      ...{ tenant: 'default', actor: 'test', request_id: 'req_busy', correlation_id: 'cor_busy', route: `POST ${RPC.subscriptionChange}` },
      ...{ params: { id }, query: {}, idempotency_key: 'second', respond_async: false, livemode: false, body: {} },
    };
    const busy = await world.parts.handlers[RPC.subscriptionChange]?.(asked, Date.now() - 10_000);
    expect([busy && code(busy), busy?.headers['retry-after']]).toEqual([[409, 'payments.in_progress'], '5']);
    expect(await world.db.selectFrom('idempotency_keys').select('key').where('key', '=', 'second').execute()).toEqual([]);
    world.simulator.clearFaults();
    await world.settle();
    expect((await on(RPC.subscriptionChange, id, {}, 'second')).status).toBe(200);
  });
});

describe('An operator', () => {
  it('sees requests that do not come to an end, has one carried on, and its age counts', async () => {
    const customer = await world.customer();
    world.simulator.addFault({ fault: 'reset_after', route: CREATE, times: 1 });
    world.simulator.addFault({ fault: 'error_503', route: LIST, times: 0 });
    await create(customer, 'stuck');
    await later(10 * 60_000);
    expect(await openOf(customer)).toMatchObject({
      ...{ kind: 'create', tenant: 'default', subscription: null, step: 'call', answer_missing: true, of_orphan: false },
      ...{ reason: 'answer_missing', in_hand: false, due_at: expect.any(String) },
    });
    const [oldest = 0] = await world.metric('subscription_commands_oldest_seconds', 'kind="create"');
    expect(oldest).toBeGreaterThanOrEqual(600);
    expect(await world.metric('subscription_commands_open', 'kind="create"')).toEqual([1]);
    expect(await open({ older_than: '3600' })).toEqual([]);
    expect(await open({ kind: 'change' })).toEqual([]);
    const { id } = await openOf(customer);
    expect(code(await giveUp(id))).toEqual([422, 'operations.illegal_state']);
    world.simulator.clearFaults();
    expect((await resolve(id)).status).toBe(202);
    await world.carryOn();
    expect(await open()).toEqual([]);
    expect(view(await create(customer, 'stuck')).status).toBe('active');
    expect(code(await resolve(id))).toEqual([422, 'operations.illegal_state']);
    expect((await resolve('sbc_00000000')).status).toBe(404);
    expect(await world.metric('subscription_commands_oldest_seconds', 'kind="create"')).toEqual([0]);
  });

  it('gives one up whose subscription Stripe does not know any more, and its client hears of it', async () => {
    const customer = await world.customer();
    const { id } = view(await create(customer, 'gone'));
    world.simulator.addFault({ fault: 'error_503', route: 'GET /v1/subscriptions/:id', times: 0 });
    expect((await on(RPC.subscriptionCancel, id, {}, 'gone too')).status).toBe(503);
    const stuck = (await open()).find((one) => one.subscription === id);
    expect(stuck).toMatchObject({ kind: 'cancel', step: 'look', answer_missing: false });
    expect(await giveUp(stuck?.id ?? '')).toMatchObject({ status: 200 });
    expect(code(await on(RPC.subscriptionCancel, id, {}, 'gone too'))).toEqual([422, 'subscriptions.given_up']);
    expect(await open()).toEqual([]);
    const { rows } = await sql`SELECT action, target, reason FROM operator_actions`.execute(world.db);
    expect(rows).toContainEqual({ action: 'subscription_command.give_up', target: stuck?.id, reason: 'a customer asks' });
  });

  it('cannot give one up whose process died, before it was looked after', async () => {
    const customer = await world.customer();
    world.simulator.addFault({ fault: 'rate_limit', route: CREATE, times: 0 });
    await create(customer, 'died');
    const { id } = await openOf(customer);
    await sql`UPDATE payment_work SET holder = 'somebody', lease_until = clock_timestamp() + interval '1 minute' WHERE payment_id = ${id}`.execute(
      world.db,
    );
    expect(code(await giveUp(id))).toEqual([422, 'operations.illegal_state']);
    await world.vanish();
    expect(code(await giveUp(id))).toEqual([422, 'operations.illegal_state']);
    expect(await openOf(customer)).toMatchObject({ answer_missing: true });
    await world.carryOn();
    expect(await openOf(customer)).toMatchObject({ answer_missing: false });
    expect((await giveUp(id)).status).toBe(200);
    expect(code(await create(customer, 'died'))).toEqual([422, 'subscriptions.given_up']);
    world.simulator.clearFaults();
    await world.settle();
    expect(made(customer)).toEqual([]);
  });

  it('is told of a subscription made twice that Stripe does not cancel, until he gives it up', async () => {
    await cancelOrphan(world.db, 'sub_twin', { tenant: 'default' }, world.clock.now());
    await world.carryOn();
    const told = () => lines.filter((line) => line.includes('subscription_orphan_left') && line.includes('sub_twin'));
    expect(told()).toHaveLength(1);
    await later(2 * HOUR_MS);
    expect(told().length).toBeGreaterThan(1);
    const [orphan] = await open({ kind: 'cancel' });
    expect(orphan).toMatchObject({ subscription: 'sub_twin', of_orphan: true });
    expect((await giveUp(orphan?.id ?? '')).status).toBe(200);
    expect(await open()).toEqual([]);
  });
});

describe('What operators are shown of all subscriptions and invoices', () => {
  it('takes one look at them in a minute, however often it is asked for', async () => {
    world.advance(61_000);
    dunningLooks = 0;
    for (let scrape = 0; scrape < 3; scrape += 1) await world.metric('invoices_dunning', 'state="retrying"');
    expect(dunningLooks).toBe(1);
    world.advance(61_000);
    await world.metric('invoices_dunning', 'state="retrying"');
    expect(dunningLooks).toBe(2);
  });
});
