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
  const metadata = { tenant_id: 'default', checkout_id: id, command_id: objectCommandId('checkout_create', scope) };
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
  return { id, session: String(made['id']) };
}
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
