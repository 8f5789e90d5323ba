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

const ask = (customer: string, key: string, more: object = {}) =>
  world.send(RPC.subscriptionCreate, { body: { customer, items: [{ price }], ...more }, key });
const create = async (customer: string, key: string, more: object = {}) => world.json<SubscriptionView>(await ask(customer, key, more));
const inHours = (hours: number) => new Date(world.clock.now().getTime() + hours * HOURS).toISOString();
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

  it('is the one of its request also when the time that this gives is over', async () => {
    const customer = await world.customer();
    const point = world.clock.now();
    world.advance(60_000);
    const not_after = inHours(1);
    const { id } = await create(customer, 'own time', { not_after });
    world.advance(30 * HOURS);
    await restored(point);
    world.advance(HOURS);
    expect((await create(customer, 'own time', { not_after })).id).toBe(id);
    expect((await ask(customer, 'never made', { not_after })).status).toBe(422);
    await world.tell();
    await world.settle();
    expect(living(customer)).toEqual([id]);
  });

  it('days later, by a request that waited at the backup, is the one of that request and not one too many', async () => {
    const customer = await world.customer();
    const not_after = inHours(80);
    world.simulator.addFault({ fault: 'rate_limit', route: 'POST /v1/subscriptions', times: 0 });
    expect((await ask(customer, 'waited', { not_after })).status).toBe(503);
    world.simulator.clearFaults();
    const point = world.clock.now();
    world.advance(72 * HOURS);
    const [{ command_id } = { command_id: '' }] = await world.db
      .selectFrom('subscription_commands')
      .select('command_id')
      .where('state', '=', 'open')
      .execute();
    const id = await world.subscribed({
      customer,
      trial_period_days: '30',
      'metadata[tenant_id]': 'default',
      'metadata[command_id]': command_id,
    });
    world.lost();
    world.advance(30 * HOURS);
    await sql`SELECT database_was_restored(${point}, ${world.clock.now()})`.execute(world.db);
    world.advance(HOURS);
    await world.settle();
    expect(await create(customer, 'waited', { not_after })).toMatchObject({ id, status: 'trialing' });
    expect(living(customer)).toEqual([id]);
  });

  it('is no hindrance to another one of the same customer', async () => {
    const customer = await world.customer();
    const first = await create(customer, 'one');
    const second = await create(customer, 'another');
    expect(second).toMatchObject({ status: 'active' });
    expect(living(customer).sort()).toEqual([first.id, second.id].sort());
  });
});
