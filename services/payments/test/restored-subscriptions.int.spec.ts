import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { type SubscriptionView } from '@tidegate/contracts/subscription';
import { sql } from 'kysely';
import { type SubscriptionWorld, subscriptionWorld } from './subscription-world.js';

jest.setTimeout(60_000);

const HOURS = 3_600_000;

let world: SubscriptionWorld;
let price: string;
beforeAll(async () => {
  world = await subscriptionWorld({ deadlineMs: 2000 });
  price = await world.price();
});
afterAll(() => world.close());

const create = async (customer: string, key: string) =>
  world.json<SubscriptionView>(await world.send(RPC.subscriptionCreate, { body: { customer, items: [{ price }] }, key }));
const living = (customer: string) =>
  world.simulator.world.subscriptions
    .all()
    .filter((one) => one.customer === customer && one.status !== 'canceled')
    .map(({ id }) => id);

/** The database is as of `point` again: nothing is on record of what was asked since. */
async function restored(point: Date): Promise<void> {
  await sql`DELETE FROM subscription_commands WHERE created_at > ${point}`.execute(world.db);
  await sql`DELETE FROM idempotency_keys WHERE route LIKE '%subscription%'`.execute(world.db);
  await sql`SELECT database_was_restored(${point}, ${world.clock.now()})`.execute(world.db);
}

describe('A subscription that was made after the backup', () => {
  it('is the one of its request when that is repeated after Stripe has forgotten the key, and is paid once', async () => {
    const customer = await world.customer();
    const point = world.clock.now();
    world.advance(60_000);
    const { id } = await create(customer, 'lost');
    world.advance(30 * HOURS);
    await restored(point);
    world.advance(HOURS);
    expect((await create(customer, 'lost')).id).toBe(id);
    await world.tell();
    await world.settle();
    expect(living(customer)).toEqual([id]);
    expect(world.simulator.world.paymentIntents.all().filter((one) => one.customer === customer)).toHaveLength(1);
  });

  it('is no hindrance to another one of the same customer', async () => {
    const customer = await world.customer();
    const first = await create(customer, 'one');
    const second = await create(customer, 'another');
    expect(second).toMatchObject({ status: 'active' });
    expect(living(customer).sort()).toEqual([first.id, second.id].sort());
  });
});
