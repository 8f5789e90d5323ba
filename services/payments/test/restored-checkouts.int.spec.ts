import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { eventually } from '@tidegate/test-harness/eventually';
import { sql } from 'kysely';
import { checkoutIdOf, customerRefOf, objectCommandId } from '../src/idempotency/identity.js';
import { checkoutWorld, type CheckoutWorld } from './checkout-world.js';

jest.setTimeout(60_000);

const HOURS = 3_600_000;

let world: CheckoutWorld;
beforeAll(async () => {
  world = await checkoutWorld();
});
afterAll(() => world.close());

const scopeOf = (subject: string, key: string) => ({ tenant: 'default', route: `POST ${subject}`, key });
/** A request with this key opened a page, and nothing of that is on record. */
async function openedInTheGap(key: string): Promise<{ id: string; session: string }> {
  const scope = scopeOf(RPC.checkoutCreate, key);
  const id = checkoutIdOf(scope);
  return { id, session: await pageMadeBy(id, objectCommandId('checkout_create', scope)) };
}
async function pageMadeBy(checkout_id: string, command_id: string): Promise<string> {
  const metadata = { tenant_id: 'default', checkout_id, command_id };
  const made = await world.stripe('checkout/sessions', {
    mode: 'payment',
    success_url: 'https://shop.example/done',
    cancel_url: 'https://shop.example/back',
    'line_items[0][quantity]': '1',
    'line_items[0][price_data][currency]': 'usd',
    'line_items[0][price_data][unit_amount]': '4200',
    'line_items[0][price_data][product_data][name]': 'Vase',
    ...Object.fromEntries(
      Object.entries(metadata).flatMap(([name, value]) => [
        [`metadata[${name}]`, value],
        [`payment_intent_data[metadata][${name}]`, value],
      ]),
    ),
  });
  return String(made['id']);
}
/** The window was extended by a request with this key: its page was closed, and a payer was sent to a fresh one. Nothing of that is on record. */
async function extendedInTheGap(key: string, closed = false): Promise<{ id: string; fresh: string }> {
  const { id, stripe_checkout_session } = await world.opened();
  if (closed) await world.expire(id);
  const point = world.clock.now();
  world.advance(60_000);
  if (!closed) await world.stripe(`checkout/sessions/${stripe_checkout_session}/expire`, {});
  const scope = scopeOf(`/v1/checkout-sessions/${id}/window`, key);
  const fresh = await pageMadeBy(id, objectCommandId('checkout_window', scope));
  world.advance(HOURS);
  await restored(point);
  world.advance(HOURS);
  return { id, fresh };
}
const payable = (id: string) =>
  world
    .sessionsOf(id)
    .filter(({ status }) => status === 'open')
    .map((one) => one.id);
async function restored(point: Date): Promise<void> {
  await sql`SELECT database_was_restored(${point}, ${world.clock.now()})`.execute(world.db);
}

describe('A page that was opened after the backup', () => {
  it('is the page of its request when that is repeated, and there is no second one to pay', async () => {
    const point = world.clock.now();
    world.advance(60_000);
    const { id, session } = await openedInTheGap('open');
    world.advance(HOURS);
    await restored(point);
    world.advance(HOURS);
    const reply = await eventually(async () => {
      const repeated = await world.open({}, { key: 'open' });
      // Stripe was not heard in time; a client asks again.
      expect(repeated.status).not.toBe(503);
      return repeated;
    });
    expect(world.view(reply)).toMatchObject({ id, status: 'open', stripe_checkout_session: session });
    expect(world.sessionsOf(id)).toHaveLength(1);
  });

  it('and was paid is complete when its request is repeated after Stripe has forgotten the key', async () => {
    const point = world.clock.now();
    world.advance(60_000);
    const { id, session } = await openedInTheGap('paid');
    expect(await world.pay(session)).toBe(200);
    world.advance(30 * HOURS);
    await restored(point);
    await world.open({}, { key: 'paid' });
    await world.tell();
    await world.settle();
    expect(await world.seen(id)).toMatchObject({ status: 'complete', stripe_checkout_session: session });
    expect([world.sessionsOf(id).length, world.chargesOf(id).length]).toEqual([1, 1]);
  });

  it('is no hindrance to a new one', async () => {
    expect(world.view(await world.open({}, { key: 'new' }))).toMatchObject({ status: 'open' });
  });
});

describe('A page that took the place of another one after the backup', () => {
  it('is the page of its checkout as soon as somebody asks', async () => {
    const { id, fresh } = await extendedInTheGap('asked');
    await world.seen(id);
    await world.carryOn();
    expect(await world.seen(id)).toMatchObject({ status: 'open', stripe_checkout_session: fresh });
  });

  it('is closed before a third one is opened, or there would be two to pay', async () => {
    const { id, fresh } = await extendedInTheGap('extended');
    const until = new Date(world.clock.now().getTime() + 5 * HOURS).toISOString();
    const extended = world.view(await world.window(id, { action: 'extend', until }));
    expect(extended).toMatchObject({ status: 'open', window_ends_at: until });
    expect(payable(id)).toEqual([extended.stripe_checkout_session]);
    expect(extended.stripe_checkout_session).not.toBe(fresh);
  });

  it('is closed before a third one is opened also when the end of the first one was told before', async () => {
    const { id, fresh } = await extendedInTheGap('told');
    await world.tell();
    const extended = world.view(await world.window(id, { action: 'extend' }));
    expect(extended).toMatchObject({ status: 'open' });
    expect(payable(id)).toEqual([extended.stripe_checkout_session]);
    expect(extended.stripe_checkout_session).not.toBe(fresh);
  });

  it.each([
    ['open', false],
    ['closed', true],
  ])('is the page of the request that opened it when that is repeated, of a checkout that was %s at the backup', async (was, closed) => {
    const { id, fresh } = await extendedInTheGap(`repeated-${was}`, closed);
    const extended = world.view(await world.window(id, { action: 'extend' }, `repeated-${was}`));
    expect(extended).toMatchObject({ status: 'open', stripe_checkout_session: fresh });
    expect(payable(id)).toEqual([fresh]);
  });

  it('is closed when its checkout is', async () => {
    const { id } = await extendedInTheGap('closed');
    expect(world.view(await world.expire(id))).toMatchObject({ status: 'expired' });
    expect(payable(id)).toEqual([]);
  });

  it('and was paid completes its checkout', async () => {
    const { id, fresh } = await extendedInTheGap('paid-extension');
    expect(await world.pay(fresh)).toBe(200);
    await world.tell();
    await world.settle(HOURS);
    expect(await world.seen(id)).toMatchObject({
      status: 'complete',
      payment_status: 'paid',
      late_success: null,
      stripe_checkout_session: fresh,
    });
  });

  it.each([
    ['open', false],
    ['closed', true],
  ])('and was paid is no longer to be extended, of a checkout that was %s at the backup', async (was, closed) => {
    const { id, fresh } = await extendedInTheGap(`paid-${was}`, closed);
    expect(await world.pay(fresh)).toBe(200);
    const reply = await world.window(id, { action: 'extend' });
    expect([reply.status, JSON.parse(reply.body).code]).toEqual([422, 'payments.illegal_state']);
    expect(await world.seen(id)).toMatchObject({ status: 'complete', stripe_checkout_session: fresh });
    expect([payable(id), world.chargesOf(id).length]).toEqual([[], 1]);
  });

  it('is closed when the window of the first one ends, unless it has a longer one itself', async () => {
    const { id, fresh } = await extendedInTheGap('swept');
    world.advance(21.5 * HOURS);
    await world.carryOn();
    expect(await world.seen(id)).toMatchObject({ status: 'open', stripe_checkout_session: fresh });
    await world.settle(6 * HOURS);
    expect(await world.seen(id)).toMatchObject({ status: 'expired', stripe_checkout_session: fresh });
    expect(payable(id)).toEqual([]);
  });
});

describe('A customer who was made after the backup', () => {
  it('is the one of the request when that is repeated after Stripe has forgotten the key', async () => {
    const point = world.clock.now();
    world.advance(60_000);
    const scope = scopeOf(RPC.customerCreate, 'ada');
    expect(customerRefOf(scope)).toMatch(/^cst_/);
    const command_id = objectCommandId('customer_create', scope);
    const made = await world.stripe('customers', { 'metadata[tenant_id]': 'default', 'metadata[command_id]': command_id });
    world.advance(30 * HOURS);
    await restored(point);
    const reply = await world.send(RPC.customerCreate, { key: 'ada' });
    expect([reply.status, world.json<{ id: string }>(reply).id]).toEqual([201, made['id']]);
  });
});
