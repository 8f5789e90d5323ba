import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { type Failpoints } from '@tidegate/database/failpoints';
import { type HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { type SubscriptionView } from '@tidegate/contracts/subscription';
import { subscriptionFailpoints } from '../src/failpoints.js';
import { type SubscriptionWorld, subscriptionWorld } from './subscription-world.js';

jest.setTimeout(60_000);

const CREATE = 'POST /v1/subscriptions';
const PAY = 'POST /v1/invoices/:id/pay';
const UPDATE = 'POST /v1/subscriptions/:id';
const CANCEL = 'DELETE /v1/subscriptions/:id';

describe('A request about a subscription', () => {
  let world: SubscriptionWorld;
  let price: string;
  let dyingAt: string | null = null;
  let died = 0;
  /** What else happens when a request in the second replica comes by there. */
  let meanwhile: { at: string; run(): Promise<void> } | null = null;
  const dying: Failpoints = {
    hit: async (name) => {
      if (name === meanwhile?.at) await meanwhile.run();
      if (name !== dyingAt) return;
      died += 1;
      throw new Error(`died at ${name}`);
    },
  };
  beforeAll(async () => {
    world = await subscriptionWorld({ deadlineMs: 2000 });
    world.start(dying);
    price = await world.price();
  });
  afterEach(() => {
    dyingAt = null;
    meanwhile = null;
    world.simulator.clearFaults();
  });
  afterAll(() => world.close());

  const view = (reply: HttpReply): SubscriptionView => world.json<SubscriptionView>(reply);
  const code = (reply: HttpReply): string => (JSON.parse(reply.body) as { code: string }).code;
  const create = (customer: string, more: object = {}, key?: string, replica = 0) =>
    world.send(RPC.subscriptionCreate, { body: { customer, items: [{ price }], ...more }, ...(key === undefined ? {} : { key }) }, replica);
  const on = (subject: RpcSubject, id: string, body: object, key?: string, replica = 0) =>
    world.send(subject, { params: { id }, body, ...(key === undefined ? {} : { key }) }, replica);
  const change = (id: string, body: object, key?: string, replica = 0) => on(RPC.subscriptionChange, id, body, key, replica);
  const cancel = (id: string, body: object = {}, key?: string, replica = 0) => on(RPC.subscriptionCancel, id, body, key, replica);
  /** Of a customer at Stripe: what is or will be charged, and what was. */
  const living = (customer: string) =>
    world.simulator.world.subscriptions
      .all()
      .filter((one) => one.customer === customer && !['canceled', 'incomplete_expired'].includes(one.status));
  const charged = (customer: string) =>
    world.simulator.world.paymentIntents.all().filter((one) => one.customer === customer && one.status === 'succeeded');
  /** What a dead replica held is free, and time passes until all is done. */
  const goOn = async () => {
    await world.vanish();
    await world.settle();
  };

  it('creates one, pays its first invoice once, and gives every repetition the same bytes', async () => {
    const customer = await world.customer();
    const [first, second] = [await create(customer, {}, 'create'), await create(customer, {}, 'create')];
    expect(first.status).toBe(201);
    expect(second.body).toBe(first.body);
    expect(view(first)).toMatchObject({ status: 'active', customer, dunning: null, items: [{ price, quantity: 1 }] });
    expect(living(customer)).toHaveLength(1);
    expect(living(customer)[0]?.metadata).toMatchObject({
      tenant_id: 'default',
      command_id: expect.stringMatching(/^cmd_subscription_create_/),
    });
    expect(charged(customer)).toHaveLength(1);
    await world.tell();
    await world.settle();
    expect((await world.factsOf(view(first).id)).filter((fact) => fact === 'subscription.created')).toHaveLength(1);
    expect((await world.metric('subscription_commands_total', 'kind="create",result="done"'))[0]).toBe(1);
  });

  it('is incomplete with a client_secret when the card declines, or nobody can be charged', async () => {
    const declining = view(await create(await world.customer('pm_card_chargeCustomerFail')));
    expect(declining).toMatchObject({
      status: 'incomplete',
      client_secret: expect.stringMatching(/_secret_/),
      dunning: { state: 'needs_payment', failure: { code: 'card_declined' } },
    });
    const without = view(await create(await world.customer(null)));
    expect(without).toMatchObject({
      status: 'incomplete',
      client_secret: expect.any(String),
      dunning: { state: 'needs_payment', failure: null },
    });
    const acting = view(await create(await world.customer('pm_card_threeDSecure2Required')));
    expect(acting).toMatchObject({ status: 'incomplete', client_secret: expect.any(String), dunning: { state: 'action_required' } });
    expect(view(await world.send(RPC.subscriptionGet, { params: { id: acting.id } })).client_secret).toBeUndefined();
  });

  it('begins a trial, or sends invoices, without charging anybody', async () => {
    const customer = await world.customer();
    expect(view(await create(customer, { trial_days: 7 }))).toMatchObject({ status: 'trialing', trial_end: expect.any(String) });
    expect(view(await create(customer, { collection_method: 'send_invoice', days_until_due: 30 }))).toMatchObject({ status: 'active' });
    expect(charged(customer)).toEqual([]);
  });

  it('is refused for what Stripe or we do not know, and nothing is left', async () => {
    const customer = await world.customer();
    const refused = await create(customer, { items: [{ price: 'price_nobody' }] }, 'refused');
    expect([refused.status, code(refused)]).toEqual([422, 'payments.rejected_by_stripe']);
    expect((await create(customer, { items: [{ price: 'price_nobody' }] }, 'refused')).body).toBe(refused.body);
    expect((await create('cus_nobody')).status).toBe(404);
    expect((await create(await world.customer('pm_card_visa', { 'metadata[tenant_id]': 'other' }))).status).toBe(404);
    expect((await create(customer, { days_until_due: 3 })).status).toBe(400);
    expect((await cancel('sub_nobody')).status).toBe(404);
    expect(living(customer)).toEqual([]);
  });

  it('changes items, and takes a planned cancellation back', async () => {
    const customer = await world.customer();
    const { id } = view(await create(customer));
    const other = await world.price(500);
    const changed = await change(id, { items: [{ price, quantity: 3 }, { price: other }], proration: 'none' }, 'items');
    expect([
      changed.status,
      view(changed)
        .items.map((item) => [item.price, item.quantity])
        .sort(),
    ]).toEqual([
      200,
      [
        [price, 3],
        [other, 1],
      ].sort(),
    ]);
    expect((await change(id, { items: [{ price, quantity: 3 }, { price: other }], proration: 'none' }, 'items')).body).toBe(changed.body);
    expect(view(await change(id, { items: [{ price: other }] })).items).toMatchObject([{ price: other }]);
    expect(view(await cancel(id, { at_period_end: true }))).toMatchObject({ status: 'active', cancel_at_period_end: true });
    expect(view(await change(id, { cancel_at_period_end: false }))).toMatchObject({ cancel_at_period_end: false, cancel_at: null });
    expect(view(await change(id, {}))).toMatchObject({ id, status: 'active' });
    expect(
      (await world.send(RPC.subscriptionChange, { tenant: 'other', params: { id }, body: { cancel_at_period_end: true } })).status,
    ).toBe(404);
  });

  it('cancels, and one that is over is answered as it is', async () => {
    const { id } = view(await create(await world.customer()));
    expect(view(await cancel(id))).toMatchObject({ status: 'canceled', ended_at: expect.any(String) });
    expect(view(await cancel(id))).toMatchObject({ status: 'canceled' });
    const refused = await change(id, { cancel_at_period_end: true });
    expect([refused.status, code(refused)]).toEqual([422, 'payments.rejected_by_stripe']);
  });

  const FAULTS: [string, string][] = (['reset_before', 'reset_after', 'error_500_before', 'error_500_after', 'cut_body'] as const).flatMap(
    (fault) => [CREATE, PAY].map((route): [string, string] => [fault, route]),
  );
  it.each(FAULTS)('whose create meets %s at %s is done once all the same', async (fault, route) => {
    const customer = await world.customer();
    world.simulator.addFault({ fault: fault as 'reset_after', route, times: 1 });
    const key = `${fault} ${route}`;
    await create(customer, {}, key);
    await world.settle();
    const reply = await create(customer, {}, key);
    expect([reply.status, view(reply).status]).toEqual([201, 'active']);
    await world.tell();
    await world.settle();
    expect(living(customer).map(({ id }) => id)).toEqual([view(reply).id]);
    expect(charged(customer)).toHaveLength(1);
  });

  it.each([
    ['change', UPDATE, 'reset_after'],
    ['change', UPDATE, 'reset_before'],
    ['change', UPDATE, 'error_500_after'],
    ['change', UPDATE, 'error_500_before'],
    ['cancel', CANCEL, 'reset_after'],
    ['cancel', CANCEL, 'error_500_before'],
  ])('whose %s meets, at %s, %s comes through once', async (what, route, fault) => {
    const customer = await world.customer();
    const { id } = view(await create(customer));
    const other = await world.price(700);
    const key = `${what} ${fault}`;
    const send = () => (what === 'change' ? change(id, { items: [{ price }, { price: other }] }, key) : cancel(id, {}, key));
    world.simulator.addFault({ fault: fault as 'reset_after', route, times: 1 });
    await send();
    await world.settle();
    const reply = await send();
    expect(reply.status).toBe(200);
    if (what === 'cancel') expect(view(reply).status).toBe('canceled');
    else
      expect(
        world
          .subscriptionAtStripe(id)
          ?.items.data.map((item) => item.price.id)
          .sort(),
      ).toEqual([price, other].sort());
  });

  const POINTS = (['create', 'change', 'cancel'] as const).flatMap((what) =>
    subscriptionFailpoints[what].map((name) => [what, name] as const),
  );
  it.each(POINTS)('in %s whose process dies at %s is carried on by another, once', async (what, name) => {
    const customer = await world.customer();
    const given = what === 'create' ? null : view(await create(customer));
    const other = await world.price(700);
    const send = (replica: number) => {
      if (!given) return create(customer, {}, name, replica);
      return what === 'change'
        ? change(given.id, { items: [{ price }, { price: other }] }, name, replica)
        : cancel(given.id, {}, name, replica);
    };
    [dyingAt, died] = [name, 0];
    const first = await send(1);
    dyingAt = null;
    expect([first.status, died]).toEqual([503, 1]);
    await goOn();
    const [second, third] = [await send(0), await send(0)];
    expect(second.status).toBe(what === 'create' ? 201 : 200);
    expect(third.body).toBe(second.body);
    await world.tell();
    await world.settle();
    expect(view(second).status).toBe(what === 'cancel' ? 'canceled' : 'active');
    expect(living(customer)).toHaveLength(what === 'cancel' ? 0 : 1);
    expect(charged(customer)).toHaveLength(1);
    if (what === 'change') expect(view(second).items).toHaveLength(2);
  });

  it('is one for fifty repetitions at the same time, in two replicas', async () => {
    const customer = await world.customer();
    const replies = await Promise.all(Array.from({ length: 50 }, (_, n) => create(customer, {}, 'fifty', n % 2)));
    expect(new Set(replies.map(({ status, body }) => `${status} ${body}`)).size).toBe(1);
    expect([living(customer).length, charged(customer).length]).toEqual([1, 1]);
  });

  it('that made a second one by a call thought lost has it canceled, and nobody pays for it', async () => {
    const customer = await world.customer();
    // Stripe keeps an error under the first key, and carries the call out all the same; its list is behind.
    world.simulator.addFault({ fault: 'error_500_after', route: CREATE, times: 1 });
    world.simulator.addFault({ fault: 'list_lag', route: 'GET /v1/subscriptions', times: 1, ms: 60_000 });
    await create(customer, { trial_days: 30 }, 'twice');
    await world.settle(60_000);
    const { id } = view(await create(customer, { trial_days: 30 }, 'twice'));
    await world.tell();
    await world.settle();
    expect(world.simulator.world.subscriptions.all().filter((one) => one.customer === customer)).toHaveLength(2);
    expect(living(customer).map((one) => one.id)).toEqual([id]);
  });

  /** Another one at Stripe that carries the id of the command of the first one, as a call of ours leaves it that has its effect late. */
  const madeLate = async (customer: string): Promise<string> => {
    const marks = { 'metadata[tenant_id]': 'default', 'metadata[command_id]': living(customer)[0]?.metadata['command_id'] ?? '' };
    return world.subscribed({ customer, trial_period_days: '30', ...marks });
  };

  it('whose earlier call has its effect late, told before a later one is recorded, is one in the end', async () => {
    const customer = await world.customer();
    const run = async () => {
      meanwhile = null;
      await madeLate(customer);
      await world.tell();
    };
    meanwhile = { at: 'payments.subscription.create.after_call', run };
    const { id } = view(await create(customer, { trial_days: 30 }, 'late', 1));
    await world.tell();
    await world.settle();
    expect(world.simulator.world.subscriptions.all().filter((one) => one.customer === customer)).toHaveLength(2);
    expect(living(customer).map((one) => one.id)).toEqual([id]);
  });

  it('that made a second one of which no news ever came has it canceled when somebody asks for that', async () => {
    const customer = await world.customer();
    const { id } = view(await create(customer, { trial_days: 30 }));
    const second = await madeLate(customer);
    world.lost();
    await world.send(RPC.paymentRepair, { body: { stripe_subscription: second, reason: 'reconciliation' } });
    await world.settle();
    expect(world.subscriptionAtStripe(second)?.status).toBe('canceled');
    expect(living(customer).map((one) => one.id)).toEqual([id]);
  });

  it('whose process died in its call is looked for before it is made again, also when Stripe could not be asked until its key had lapsed', async () => {
    const customer = await world.customer();
    [dyingAt, died] = ['payments.subscription.create.after_call', 0];
    await create(customer, { trial_days: 30 }, 'lapsed', 1);
    dyingAt = null;
    expect(died).toBe(1);
    await world.send(RPC.breakerIsolate, { params: { name: 'stripe_reads' }, body: { reason: 'test' } });
    await world.vanish();
    await world.carryOn();
    world.advance(25 * 3_600_000);
    await world.send(RPC.breakerClose, { params: { name: 'stripe_reads' }, body: { reason: 'test' } });
    await world.settle();
    const reply = await create(customer, { trial_days: 30 }, 'lapsed');
    expect(reply.status).toBe(201);
    expect(living(customer).map(({ id }) => id)).toEqual([view(reply).id]);
  });

  it('is not answered with what others saw before it and told while it asked', async () => {
    const { id } = view(await create(await world.customer()));
    const [earlier] = await Promise.all(
      world
        .fresh()
        .filter(({ aggregate }) => aggregate === id)
        .map(world.asShown),
    );
    if (!earlier) throw new Error('Nothing was told');
    let told = 0;
    const run = async () => {
      if ((told += 1) > 3) return;
      // By a clock that is ahead of ours.
      const occurred_at = new Date(world.clock.now().getTime() + told * 1000).toISOString();
      await world.deliver({ ...earlier, envelope: { ...earlier.envelope, occurred_at } });
    };
    meanwhile = { at: 'payments.billing.lookup.after_call', run };
    const first = await cancel(id, {}, 'overtaken', 1);
    expect([first.status, told]).toEqual([503, 3]);
    await world.settle();
    expect(view(await cancel(id, {}, 'overtaken')).status).toBe('canceled');
  });

  it('charges nobody for what was canceled before its first invoice could be paid', async () => {
    const customer = await world.customer();
    world.simulator.addFault({ fault: 'rate_limit', route: PAY, times: 1 });
    expect((await create(customer, {}, 'canceled first')).status).toBe(503);
    const id = living(customer)[0]?.id ?? '';
    await world.dashboard('edit', { id, changes: { status: 'canceled', ended_at: Math.floor(world.clock.now().getTime() / 1000) } });
    await world.tell();
    await world.settle();
    expect(view(await create(customer, {}, 'canceled first')).status).toBe('canceled');
    expect(charged(customer)).toEqual([]);
  });

  it('that waits for another change has that looked after at once', async () => {
    const { id } = view(await create(await world.customer()));
    world.simulator.addFault({ fault: 'reset_after', route: UPDATE, times: 1 });
    world.simulator.addFault({ fault: 'error_503', route: 'GET /v1/subscriptions/:id', nth: 2, times: 0 });
    expect((await change(id, { items: [{ price, quantity: 2 }] }, 'first')).status).toBe(503);
    for (const seconds of [6, 16]) {
      world.advance(seconds * 1000);
      await world.carryOn();
    }
    world.simulator.clearFaults();
    let waiting = true;
    const second = change(id, { items: [{ price, quantity: 3 }] }, 'second').finally(() => (waiting = false));
    while (waiting) {
      await world.carryOn();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(view(await second).items).toMatchObject([{ price, quantity: 3 }]);
    expect(view(await change(id, { items: [{ price, quantity: 2 }] }, 'first')).items).toHaveLength(1);
  });

  it('that nobody waits for any more is carried on by the loop', async () => {
    const customer = await world.customer();
    const asked = {
      ...{ tenant: 'default', actor: 'test', request_id: 'req_late', correlation_id: 'cor_late', route: `POST ${RPC.subscriptionCreate}` },
      ...{
        params: {},
        query: {},
        idempotency_key: 'nobody waits',
        respond_async: false,
        livemode: false,
        body: { customer, items: [{ price }] },
      },
    };
    const late = await world.parts.handlers[RPC.subscriptionCreate]?.(asked, Date.now() - 10_000);
    expect([late?.status, living(customer)]).toEqual([503, []]);
    await world.settle();
    expect(view(await create(customer, {}, 'nobody waits'))).toMatchObject({ status: 'active' });
    expect(charged(customer)).toHaveLength(1);
  });

  it('is not begun while Stripe takes no calls, and is free to be repeated', async () => {
    const customer = await world.customer();
    await world.parts.fleet.breakers.setRules({ threshold: 1, ratio: 0.1, windowMs: 60_000, recoveryMs: 60_000 });
    await world.send(RPC.breakerIsolate, { params: { name: 'stripe' }, body: { reason: 'test' } });
    const reply = await create(customer, {}, 'door');
    expect([reply.status, code(reply), reply.headers['retry-after']]).toEqual([503, 'payments.stripe_unavailable', expect.any(String)]);
    expect(await world.db.selectFrom('idempotency_keys').select('key').where('key', '=', 'door').execute()).toEqual([]);
    await world.send(RPC.breakerClose, { params: { name: 'stripe' }, body: { reason: 'test' } });
    expect((await create(customer, {}, 'door')).status).toBe(201);
  });
});
