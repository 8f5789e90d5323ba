import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type BreakerView } from '@tidegate/contracts/responses';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { sql } from 'kysely';
import { paymentsWorld, type PaymentsWorld } from './payments-world.js';

let world: PaymentsWorld;
beforeAll(async () => {
  world = await paymentsWorld();
}, 60_000);
afterAll(() => world.close());

const ask = (subject: (typeof RPC)['breakerReset'], name: string, body: object = { reason: 'a drill' }) =>
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
    expect(world.json(await ask(RPC.breakerIsolate as never, 'stripe'))).toMatchObject({ name: 'stripe', state: 'isolated' });
    expect(world.json(await ask(RPC.breakerClose as never, 'stripe', { reason: 'over' }))).toMatchObject({ state: 'closed' });
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
