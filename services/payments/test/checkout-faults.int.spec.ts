import { RPC } from '@tidegate/contracts/rpc/routes';
import { type Failpoints } from '@tidegate/database/failpoints';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { checkoutFailpoints } from '../src/failpoints.js';
import { checkoutWorld, type CheckoutWorld } from './checkout-world.js';

jest.setTimeout(60_000);

const HOUR = 3_600_000;
const OPEN = 'POST /v1/checkout/sessions';
const CLOSE = 'POST /v1/checkout/sessions/:id/expire';

describe('When Stripe does not answer', () => {
  let world: CheckoutWorld;
  beforeAll(async () => {
    world = await checkoutWorld({ deadlineMs: 300, runMs: 3000 });
  });
  afterEach(() => world.simulator.clearFaults());
  afterAll(() => world.close());

  it.each([
    'hang',
    'reset_before',
    'reset_after',
    'cut_body',
    'error_500_before',
    'error_500_after',
    'error_502_html',
    'error_503',
  ] as const)('and opening a page meets %s, there is one page in the end, and the same key gets it', async (fault) => {
    world.simulator.addFault({ fault, route: OPEN, times: 1 });
    const key = `open-${fault}`;
    const first = await world.open({}, { key });
    expect([201, 503]).toContain(first.status);
    await world.settle(HOUR);
    const [second, third] = [await world.open({}, { key }), await world.open({}, { key })];
    expect(second.status).toBe(201);
    expect(third.body).toBe(second.body);
    const { id, url, stripe_checkout_session } = world.view(second);
    expect(url).toMatch(/^http/);
    expect(world.sessionsOf(id).map((one) => one.id)).toEqual([stripe_checkout_session]);
  });

  it('for a long time, the request is answered 503, and the key gets the page that was made meanwhile', async () => {
    world.simulator.addFault({ fault: 'reset_after', route: OPEN, times: 1 });
    world.simulator.addFault({ fault: 'error_503', route: 'GET /v1/checkout/sessions', times: 50 });
    const first = await world.open({}, { key: 'long' });
    expect(first.status).toBe(503);
    expect(Number(first.headers['retry-after'])).toBeGreaterThan(0);
    expect((await world.open({}, { key: 'long' })).status).toBe(503);
    world.simulator.clearFaults();
    await world.settle(HOUR);
    const { id } = world.view(await world.open({}, { key: 'long' }));
    expect(world.sessionsOf(id)).toHaveLength(1);
  });

  it('about a page that was paid before it was found, it is asked again soon, not when the window ends', async () => {
    world.simulator.addFault({ fault: 'reset_after', route: OPEN, times: 1 });
    world.simulator.addFault({ fault: 'error_503', route: 'GET /v1/checkout/sessions', times: 50 });
    await world.open({}, { key: 'paid-unseen' });
    const [page] = world.simulator.world.checkoutSessions.all().toSorted((a, b) => b.created - a.created);
    const id = page?.metadata['checkout_id'] ?? '';
    await world.pay(page?.id ?? '');
    world.simulator.clearFaults();
    world.simulator.addFault({ fault: 'error_503', route: 'GET /v1/checkout/sessions/:id', times: 1 });
    await world.settle(HOUR);
    expect(await world.seen(id)).toMatchObject({ status: 'complete', payment_status: 'paid' });
  });

  it.each([
    ['paid', 'complete', 422],
    ['closed by Stripe', 'expired', 200],
  ] as const)('about a page that is to be closed and was %s, the news answer the request', async (how, status, answered) => {
    const { id, stripe_checkout_session } = await world.opened();
    if (how === 'paid') await world.pay(stripe_checkout_session);
    world.simulator.addFault({ fault: how === 'paid' ? 'reset_before' : 'reset_after', route: CLOSE, times: 1 });
    world.simulator.addFault({ fault: 'error_503', route: 'GET /v1/checkout/sessions/:id', times: 0 });
    expect((await world.expire(id, `news-${status}`)).status).toBe(503);
    await world.tell();
    expect((await world.seen(id)).status).toBe(status);
    const [first, second] = [await world.expire(id, `news-${status}`), await world.expire(id, `news-${status}`)];
    expect(first.status).toBe(answered);
    expect(second.body).toBe(first.body);
  });

  it('until the window is over, nothing is opened any more, and the request is told so', async () => {
    world.simulator.addFault({ fault: 'error_500_before', route: OPEN, times: 100 });
    const first = await world.open({ window_hours: 0.5 }, { key: 'too-late' });
    expect(first.status).toBe(503);
    await world.settle(2 * HOUR);
    world.simulator.clearFaults();
    await world.settle(HOUR);
    const last = await world.open({ window_hours: 0.5 }, { key: 'too-late' });
    expect(last.status).toBe(422);
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
  ] as const)('and closing a page meets %s, it is closed once in the end', async (fault) => {
    const { id } = await world.opened();
    world.simulator.addFault({ fault, route: CLOSE, times: 1 });
    const first = await world.expire(id, `close-${fault}`);
    expect([200, 503]).toContain(first.status);
    await world.settle(HOUR);
    const second = await world.expire(id, `close-${fault}`);
    expect(world.view(second).status).toBe('expired');
    expect(world.sessionsOf(id).map((one) => one.status)).toEqual(['expired']);
    expect(await world.factsOf(id)).toEqual(['opened', 'expired']);
  });

  it.each(['rate_limit', 'lock_timeout', 'key_in_use', 'auth_expired'] as const)(
    'but refuses for now by %s, the request goes on by itself',
    async (fault) => {
      world.simulator.addFault({ fault, route: OPEN, times: 1 });
      const key = `turned-${fault}`;
      const first = await world.open({}, { key });
      if (fault === 'auth_expired')
        for (const name of ['stripe', 'stripe_reads', 'stripe_usage']) await world.breaker(RPC.breakerReset, name);
      await world.settle(HOUR);
      const second = await world.open({}, { key });
      expect([first.status, second.status]).toEqual([503, 201]);
      expect(world.sessionsOf(world.view(second).id)).toHaveLength(1);
    },
  );

  it('and the payer pays while it is asked to close, the answer that was lost is not taken for cancelled', async () => {
    const { id, stripe_checkout_session } = await world.opened();
    world.simulator.addFault({ fault: 'reset_before', route: CLOSE, times: 1 });
    world.simulator.addFault({ fault: 'error_503', route: 'GET /v1/checkout/sessions/:id', times: 1 });
    expect((await world.expire(id, 'paid-meanwhile')).status).toBe(503);
    expect(await world.pay(stripe_checkout_session)).toBe(200);
    await world.settle(HOUR);
    expect((await world.expire(id, 'paid-meanwhile')).status).toBe(422);
    expect(await world.seen(id)).toMatchObject({ status: 'complete', payment_status: 'paid' });
    expect(world.chargesOf(id)).toHaveLength(1);
  });
});

describe('When the process that works on a checkout dies', () => {
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
  beforeAll(async () => {
    world = await checkoutWorld({ deadlineMs: 1000, runMs: 3000 });
    world.start(dying);
  });
  afterAll(() => world.close());

  const opening = checkoutFailpoints.filter((name) => /accept|session/.test(name));
  const closing = checkoutFailpoints.filter((name) => /accept|expire/.test(name));

  it.each(opening)('at %s while it opens a page, there is one page and one answer', async (name) => {
    dyingAt = name;
    died = 0;
    const first = await world.open({}, { key: name }, 1);
    dyingAt = null;
    expect({ status: first.status, died }).toEqual({ status: 503, died: 1 });
    await world.vanish();
    await world.settle(HOUR);
    const [second, third] = [await world.open({}, { key: name }), await world.open({}, { key: name })];
    expect(second.status).toBe(201);
    expect(third.body).toBe(second.body);
    expect(world.sessionsOf(world.view(second).id)).toHaveLength(1);
  });

  it.each(closing)('at %s while it closes a page, the page is closed once', async (name) => {
    const { id } = await world.opened();
    dyingAt = name;
    died = 0;
    const first = await world.expire(id, name, 1);
    dyingAt = null;
    expect({ status: first.status, died }).toEqual({ status: 503, died: 1 });
    await world.vanish();
    await world.settle(HOUR);
    const [second, third] = [await world.expire(id, name), await world.expire(id, name)];
    expect(world.view(second).status).toBe('expired');
    expect(third.body).toBe(second.body);
    expect(await world.factsOf(id)).toEqual(['opened', 'expired']);
  });

  it.each([
    'payments.checkout.submitted.before_commit',
    'payments.checkout.submitted.after_commit',
    'payments.checkout.expire_recorded.before_commit',
  ])('at %s while it sweeps, the page is closed all the same', async (name) => {
    const { id } = await world.opened({ window_hours: 1 });
    const replica = world.start(dying);
    world.advance(HOUR + 1000);
    dyingAt = name;
    died = 0;
    await replica.parts.carryOnObjectsOnce(10_000);
    dyingAt = null;
    expect(died).toBe(1);
    await world.vanish();
    await world.settle(HOUR);
    expect((await world.seen(id)).status).toBe('expired');
  });

  it.each(checkoutFailpoints.filter((name) => /accept|session|expire/.test(name)))(
    'at %s while it extends a window, one page is open and one answer is given',
    async (name) => {
      const { id } = await world.opened();
      dyingAt = name;
      died = 0;
      const first = await world.window(id, { action: 'extend' }, name, 1);
      dyingAt = null;
      expect({ status: first.status, died }).toEqual({ status: 503, died: 1 });
      await world.vanish();
      await world.settle(HOUR);
      const second = await world.window(id, { action: 'extend' }, name);
      expect(second.status).toBe(200);
      expect(
        world
          .sessionsOf(id)
          .map((one) => one.status)
          .toSorted(),
      ).toEqual(['expired', 'open']);
      expect(world.view(second).stripe_checkout_session).toBe(world.sessionsOf(id).find((one) => one.status === 'open')?.id);
    },
  );
});

describe('When the circuit breaker is open', () => {
  let world: CheckoutWorld;
  beforeAll(async () => {
    world = await checkoutWorld({ deadlineMs: 300, runMs: 3000 });
  });
  afterAll(() => world.close());

  it('a page is refused at the door with 503 and nothing is written, and the key stays free', async () => {
    await world.breaker(RPC.breakerIsolate, 'stripe');
    const refused = await world.open({}, { key: 'door' });
    expect({ status: refused.status, after: Number(refused.headers['retry-after']) > 0 }).toEqual({ status: 503, after: true });
    expect((await world.send(RPC.customerCreate, { body: {}, key: 'door' })).status).toBe(503);
    for (const table of ['idempotency_keys', 'checkouts', 'customers', 'payment_work'] as const)
      expect(await world.db.selectFrom(table).selectAll().execute()).toEqual([]);
    await world.breaker(RPC.breakerClose, 'stripe');
    expect((await world.open({}, { key: 'door' })).status).toBe(201);
  });
});
