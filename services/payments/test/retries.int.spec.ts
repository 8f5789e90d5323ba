import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { type DeadLetterRetriesView, type RetryView } from '@tidegate/contracts/ops/retries';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { sql } from 'kysely';
import { type PaymentsWorld, paymentsWorld } from './payments-world.js';

jest.setTimeout(60_000);

interface Listed {
  data: RetryView[];
  has_more: boolean;
  next_cursor: string | null;
}

let world: PaymentsWorld;
afterEach(() => world.close());

const queue = async (key: string): Promise<string> => world.json(await world.create({}, { key, respondAsync: true })).id;
const list = async (query: Record<string, string> = {}): Promise<Listed> => world.json<Listed>(await world.send(RPC.retryList, { query }));
const deadLetter = async (body: object): Promise<DeadLetterRetriesView> =>
  world.json<DeadLetterRetriesView>(await world.send(RPC.retryDeadLetter, { body: { reason: 'customers were told', ...body } }));
const actions = async () =>
  (
    await sql<{ actor: string; action: string; target: string; reason: string }>`
    SELECT actor, action, target, reason FROM operator_actions ORDER BY id`.execute(world.db)
  ).rows;

describe('The list of payments that wait', () => {
  it('tells for what, for how long and whether something was sent, longest first', async () => {
    world = await paymentsWorld();
    world.simulator.addFault({ fault: 'reset_before', route: 'POST /v1/payment_intents', times: 0 });
    const unanswered = world.json(await world.create({})).id;
    world.advance(2000);
    world.simulator.clearFaults();
    world.simulator.addFault({ fault: 'rate_limit', route: 'POST /v1/payment_intents', times: 0 });
    await world.create({}, { key: 'limited' });
    world.advance(2000);
    const queued = await queue('queued');
    const { data } = await list();
    expect(data.map(({ reason, status, unsent, in_hand }) => [reason, status, unsent, in_hand])).toEqual([
      ['answer_missing', 'unknown', false, false],
      ['rate_limited', 'unknown', false, false],
      ['queued', 'queued', true, false],
    ]);
    expect([data[0]?.payment_id, data[2]?.payment_id]).toEqual([unanswered, queued]);
    expect(data[0]?.age_seconds).toBeGreaterThanOrEqual(4);
    expect((await list({ older_than: '3' })).data.map((row) => row.payment_id)).toEqual([unanswered]);
    expect((await list({ status: 'queued' })).data.map((row) => row.payment_id)).toEqual([queued]);
  });

  it('is read page by page, each payment once', async () => {
    world = await paymentsWorld();
    const ids = [await queue('one'), await queue('two'), await queue('three')];
    const first = await list({ limit: '2' });
    expect(first.has_more).toBe(true);
    const second = await list({ limit: '2', cursor: first.next_cursor ?? '' });
    expect([...first.data, ...second.data].map((row) => row.payment_id)).toEqual(ids);
    expect(second.has_more).toBe(false);
    expect((await world.send(RPC.retryList, { query: { cursor: 'nonsense' } })).status).toBe(400);
  });
});

describe('Taking payments out of the queue', () => {
  it('cancels those that were never sent, oldest first, and writes down who wanted it', async () => {
    world = await paymentsWorld();
    const old = await queue('old');
    world.advance(60_000);
    const young = await queue('young');
    const preview = await deadLetter({ older_than_seconds: 30, dry_run: true });
    expect(preview).toMatchObject({ dry_run: true, matched: 1, dead_lettered: 0, payment_ids: [old] });
    expect([(await world.get(old)).status, await actions()]).toEqual(['queued', []]);

    expect(await deadLetter({ older_than_seconds: 30 })).toMatchObject({ matched: 1, dead_lettered: 1, more: false, payment_ids: [old] });
    expect(await world.get(old)).toMatchObject({ status: 'canceled', cancellation_reason: 'dead_lettered' });
    expect((await list()).data.map((row) => row.payment_id)).toEqual([young]);
    expect(await actions()).toEqual([{ actor: 'test', action: 'retry.dead_letter', target: old, reason: 'customers were told' }]);
    await world.settle();
    expect(world.intentsOf(old)).toEqual([]);
    expect((await world.get(young)).status).toBe('succeeded');
    const repeated = await world.create({}, { key: 'old', respondAsync: true });
    expect([repeated.status, world.json(repeated).status]).toEqual([201, 'canceled']);
  });

  it('leaves alone what may have reached Stripe, and says so', async () => {
    world = await paymentsWorld();
    world.simulator.addFault({ fault: 'error_500_after', route: 'POST /v1/payment_intents/:id/confirm', times: 1 });
    world.simulator.addFault({ fault: 'reset_before', route: 'GET /v1/payment_intents/:id', times: 0 });
    const submitted = world.json(await world.create({})).id;
    world.advance(60_000);
    expect(await deadLetter({ older_than_seconds: 30 })).toMatchObject({
      matched: 0,
      dead_lettered: 0,
      refused: { count: 1, why: 'submitted', payment_ids: [submitted] },
    });
    world.simulator.clearFaults();
    await world.settle();
    expect((await world.get(submitted)).status).toBe('succeeded');
  });

  it('and a loop that sends them in the same moment agree about each: canceled unsent, or charged once', async () => {
    world = await paymentsWorld({ replicas: 2, deadlineMs: 5000 });
    const ids: string[] = [];
    for (let i = 0; i < 30; i += 1) ids.push(await queue(`race-${i}`));
    const [moved] = await Promise.all([deadLetter({ older_than_seconds: 0 }), world.parts.carryOnOnce(60_000)]);
    await world.settle();
    const statuses = await Promise.all(ids.map(async (id) => (await world.get(id)).status));
    expect(statuses.filter((status) => status === 'canceled')).toHaveLength(moved.dead_lettered);
    expect(statuses.filter((status) => status !== 'canceled' && status !== 'succeeded')).toEqual([]);
    for (const [i, id] of ids.entries()) expect(world.intentsOf(id)).toHaveLength(statuses[i] === 'canceled' ? 0 : 1);
  });
});

describe('The metrics of what waits', () => {
  it('are the same in every replica, exact, and there from the start', async () => {
    world = await paymentsWorld({ replicas: 2 });
    expect(await world.metric('payments_retry_queue_depth')).toEqual([0, 0]);
    expect(await world.metric('payments_retry_oldest_seconds')).toEqual([0, 0]);
    await queue('one');
    world.advance(90_000);
    await queue('two');
    expect(await world.metric('payments_retry_queue_depth')).toEqual([2, 2]);
    for (const age of await world.metric('payments_retry_oldest_seconds')) expect(Math.round(age ?? 0)).toBe(90);
    await world.settle();
    expect(await world.metric('payments_retry_queue_depth')).toEqual([0, 0]);
    expect(await world.metric('payments_retry_attempts_total', 'result="settled"')).toEqual([2, 0]);
  });
});
