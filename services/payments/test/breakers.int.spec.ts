import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BreakerChanged } from '@tidegate/contracts/events/breaker';
import { type BreakerView } from '@tidegate/contracts/responses';
import { RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { sql } from 'kysely';
import { paymentsWorld, type PaymentsWorld } from './payments-world.js';

let world: PaymentsWorld;
beforeAll(async () => {
  world = await paymentsWorld();
}, 60_000);
afterAll(() => world.close());

const ask = (subject: RpcSubject, name: string, body: object = { reason: 'a drill' }) =>
  world.send(subject, { params: { name }, body, key: null });
const list = async () => world.json<{ data: BreakerView[] }>(await world.send(RPC.breakerList, { key: null })).data;

describe('Operators', () => {
  it('see three closed breakers with their rules', async () => {
    expect(await list()).toMatchObject([
      { name: 'stripe', state: 'closed', failures: 0, calls: 0, last_failure_at: null, retry_at: null, held_operations: [] },
      { name: 'stripe_reads', state: 'closed' },
      { name: 'stripe_usage', state: 'closed' },
    ]);
  });

  it('isolate a breaker and close it again, each with who, why and what it was before', async () => {
    expect(world.json(await ask(RPC.breakerIsolate, 'stripe'))).toMatchObject({ name: 'stripe', state: 'isolated' });
    expect(world.json(await ask(RPC.breakerClose, 'stripe', { reason: 'over' }))).toMatchObject({ state: 'closed' });
    const { rows } = await sql`SELECT actor, action, target, reason, details FROM operator_actions ORDER BY id`.execute(world.db);
    expect(rows).toEqual([
      { actor: 'test', action: 'breaker.isolate', target: 'stripe', reason: 'a drill', details: { from: 'closed', to: 'isolated' } },
      { actor: 'test', action: 'breaker.close', target: 'stripe', reason: 'over', details: { from: 'isolated', to: 'closed' } },
    ]);
    const transitions =
      await sql`SELECT breaker, from_state, to_state, cause, actor, reason FROM stripe_gateway.transitions ORDER BY id`.execute(world.db);
    expect(transitions.rows).toMatchObject([
      { breaker: 'stripe', from_state: 'closed', to_state: 'isolated', cause: 'isolate', actor: 'test', reason: 'a drill' },
      { breaker: 'stripe', from_state: 'isolated', to_state: 'closed', cause: 'close' },
    ]);
  });

  it('are refused without a reason, and for a breaker that does not exist', async () => {
    expect((await ask(RPC.breakerReset, 'stripe', {})).status).toBe(400);
    expect((await ask(RPC.breakerReset, 'nonsense')).status).toBe(404);
  });
});

describe('Each change of a breaker', () => {
  it('is published once, in order, however many processes publish, and every replica shows the state', async () => {
    await world.parts.publishBreakers();
    const before = (await published()).length;
    const second = world.start();
    await ask(RPC.breakerIsolate, 'stripe_reads');
    await Promise.all([world.parts.publishBreakers(), second.parts.publishBreakers(), world.parts.publishBreakers()]);
    await ask(RPC.breakerReset, 'stripe_reads', { reason: 'enough' });
    await Promise.all([world.parts.publishBreakers(), second.parts.publishBreakers()]);
    const events = (await published()).slice(before);
    expect(events).toMatchObject([
      { data: { breaker: 'stripe_reads', from: 'closed', to: 'isolated', cause: 'isolate', actor: 'test', reason: 'a drill' } },
      { data: { breaker: 'stripe_reads', from: 'isolated', to: 'closed', cause: 'reset', reason: 'enough' } },
    ]);
    for (const event of events) expect(BreakerChanged.safeParse(event.data).success).toBe(true);
  });

  it('shows in the metrics of every replica', async () => {
    await ask(RPC.breakerIsolate, 'stripe_usage');
    const shown = await world.metric('circuit_state', 'breaker_name="stripe_usage"');
    expect(shown.length).toBeGreaterThan(1);
    expect(new Set(shown)).toEqual(new Set([3]));
    await ask(RPC.breakerReset, 'stripe_usage');
  });
});

async function published(): Promise<{ data: unknown }[]> {
  const { rows } = await sql<{ body: string }>`
    SELECT convert_from(bytes, 'UTF8') AS body FROM outbox WHERE subject = 'payments.events.breaker.changed.v1' ORDER BY id`.execute(
    world.db,
  );
  return rows.map(({ body }) => JSON.parse(body) as { data: unknown });
}
