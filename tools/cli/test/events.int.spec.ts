import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { EventReplayDetail, EventReplayList } from '@tidegate/contracts/ops/event-replays';
import { eventually } from '@tidegate/test-harness/eventually';
import { operatorWorld, type OperatorWorld } from './operator-world.js';

const CONSUMER = 'webhooks-outcomes-payments';
let world: OperatorWorld;
beforeAll(async () => {
  world = await operatorWorld({ deliveries: true, whole: true });
  await pay(4);
}, 120_000);
afterAll(() => world?.stop());

/** Until Tidegate has heard of all of it, and both consumers have said what became of it. */
async function pay(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await world.post('/v1/payments', { amount: 4200, currency: 'usd', payment_method: 'pm_card_visa' });
  await eventually(async () => {
    const [row] = await world.query<{ done: string }>(
      `select count(*) as done from webhooks.stripe_events e where processing_outcome not in ('received', 'published')
         and (select count(*) from webhooks.stripe_event_outcomes o where o.stripe_event_id = e.stripe_event_id) = 2`,
    );
    expect(Number(row?.done)).toBe(world.simulator.truth(['events']).events.length);
  });
}

const outcomes = () =>
  world.query<{ id: string; outcome: string }>(
    `select stripe_event_id as id, outcome from webhooks.stripe_event_outcomes where consumer = 'payments-stripe-events' order by created, stripe_event_id`,
  );
const events = () =>
  world.query(
    `select stripe_event_id, processing_outcome, processing_error, processed_at from webhooks.stripe_events where processed_at is not null`,
  );
const posted = () => world.simulator.truth(['requests']).requests.filter(({ method }) => method === 'POST');
/** What was sent again with the same key counts once. */
const asked = () => new Set(posted().map(({ idempotency_key, path }) => idempotency_key ?? path)).size;
const replay = (rest: string) => world.tidegate(`events replay --consumer ${CONSUMER} --reason "INC-42" ${rest}`);

describe('When rows of a projection were changed by hand', () => {
  let before: Awaited<ReturnType<typeof outcomes>>;
  let eventsBefore: Awaited<ReturnType<typeof events>>;
  const named = (out: string) =>
    out
      .split('\n')
      .filter((line) => /^stripe_event(s|_outcomes) /.test(line))
      .map((line) => line.split(/ {2,}/).slice(0, 3));

  it('a dry run names exactly these, exits 2 and changes nothing', async () => {
    [before, eventsBefore] = [await outcomes(), await events()];
    const [first, second, third] = before;
    await world.query(
      `update webhooks.stripe_event_outcomes set outcome = 'failed' where stripe_event_id = $1 and consumer = 'payments-stripe-events'`,
      [first?.id],
    );
    await world.query(`delete from webhooks.stripe_event_outcomes where stripe_event_id = $1 and consumer = 'payments-stripe-events'`, [
      second?.id,
    ]);
    await world.query(`update webhooks.stripe_events set processing_outcome = 'failed' where stripe_event_id = $1`, [third?.id]);
    const corrupted = await outcomes();

    const { exitCode, out } = await replay('--dry-run');

    expect([exitCode, out]).toEqual([
      2,
      expect.stringContaining('1 missing, 2 different. To swap it in: tidegate events swap evr_webhooks-outcomes-payments_'),
    ]);
    expect(named(out)).toEqual([
      ['stripe_event_outcomes', expect.stringContaining(`stripe_event_id=${first?.id} consumer=payments-stripe-events`), 'different'],
      ['stripe_event_outcomes', expect.stringContaining(`stripe_event_id=${second?.id} consumer=payments-stripe-events`), 'missing'],
      ['stripe_events', expect.stringContaining(`stripe_event_id=${third?.id}`), 'different'],
    ]);
    expect(await outcomes()).toEqual(expect.arrayContaining(corrupted));
    expect((await outcomes()).map(({ id }) => id)).not.toContain(second?.id);
  });

  it('nothing is replaced without a yes, and with it they are as before: nothing was posted to Stripe meanwhile', async () => {
    const postsBefore = posted().length;
    const asked = await replay('');
    expect([asked.exitCode, named(asked.out).length]).toEqual([1, 3]);
    const done = await replay('--yes');
    expect([done.exitCode, done.out]).toEqual([
      0,
      expect.stringMatching(/replace 3 rows \(1 missing, 2 different\)[\s\S]*3 rows were replaced; \d+ messages/),
    ]);
    // Stripe goes on telling news meanwhile.
    expect(await outcomes()).toEqual(expect.arrayContaining(before));
    expect(await events()).toEqual(expect.arrayContaining(eventsBefore));
    expect(posted().length).toBe(postsBefore);
  });

  it('who wanted it and why is on record, with each replay and what became of it', async () => {
    const { exitCode, value } = await world.json<EventReplayList>('events list');
    expect([exitCode, value.unavailable]).toEqual([0, []]);
    expect(value.data.map(({ status, differences }) => [status, differences?.different])).toEqual([
      ['done', 2],
      ['stopped', 2],
      ['stopped', 2],
    ]);
    const { value: shown } = await world.json<EventReplayDetail>(`events show ${value.data[0]?.id}`);
    expect(shown).toMatchObject({ actor: expect.stringMatching(/^key:/), reason: 'INC-42' });
    expect(shown.rows).toHaveLength(3);
    const actions = await world.query(`select action, target, reason from webhooks.operator_actions order by at`);
    const start = { action: 'event_replay.start', target: CONSUMER, reason: 'INC-42' };
    expect(actions).toEqual([start, start, start, { ...start, action: 'event_replay.swap' }]);
  });

  it('one that is ready can be swapped in later or stopped, and only then', async () => {
    await world.query(
      `update webhooks.stripe_event_outcomes set outcome = 'failed' where stripe_event_id = $1 and consumer = 'payments-stripe-events'`,
      [before[0]?.id],
    );
    await replay('--dry-run');
    const { value } = await world.json<EventReplayList>('events list');
    const id = value.data[0]?.id;
    await pay(1);
    const done = await world.tidegate(`events swap ${id} --reason "looked at it" --yes`);
    expect([done.exitCode, done.out]).toEqual([0, expect.stringMatching(/status +done/)]);
    expect((await outcomes()).find((one) => one.id === before[0]?.id)).toEqual(before[0]);
    const over = await world.tidegate(`events stop ${id} --reason "too late" --yes`);
    expect([over.exitCode, over.err]).toEqual([1, expect.stringContaining('It is done.')]);
  });
});

describe('Three rows changed by hand, while customers pay', () => {
  let ofOnePayment: number;
  beforeAll(async () => {
    const before = asked();
    await pay(1);
    ofOnePayment = asked() - before;
  });

  it.each([
    ['reconciliation-payments', 'reconciliation.recorded_payments', 'payment_id', `status = 'failed'`, 'created_at'],
    ['reconciliation-stripe-events', 'reconciliation.stripe_objects', 'object_id', 'amount = 1', 'stripe_created'],
    ['receipts-payments', 'receipts.receipts', 'receipt_id', 'amount = 1', 'issued_at'],
    ['payments-receipts', 'payments.payment_receipts', 'receipt_id', `kind = 'bill'`, 'receipt_id'],
  ])(
    'are named by %s, and no others, and are as before when it is swapped in: only the payments were posted to Stripe',
    async (consumer, table, key, change, age) => {
      const rows = () => world.query<Record<string, unknown>>(`select * from ${table} order by ${age}`);
      const three = (
        await eventually(async () => {
          const all = await rows();
          expect(all.length).toBeGreaterThanOrEqual(4);
          expect(all.filter((row) => row['status'] === 'issued')).toEqual([]);
          return all;
        })
      ).slice(0, 3);
      await world.query(`update ${table} set ${change} where ${key} = any($1)`, [three.map((row) => row[key])]);

      const before = asked();
      const paying = pay(2);
      const { exitCode, out } = await world.tidegate(`events replay --consumer ${consumer} --reason "INC-43" --yes`);
      await paying;

      const named = out.split('\n').filter((line) => line.startsWith(`${table.split('.')[1]} `));
      expect(named.map((line) => line.split(/ {2,}/)[2])).toEqual(['different', 'different', 'different']);
      for (const row of three) expect(named.filter((line) => line.includes(`${key}=${String(row[key])}`))).toHaveLength(1);
      expect([exitCode, out]).toEqual([0, expect.stringContaining('\n3 rows were replaced; ')]);
      expect(await rows()).toEqual(expect.arrayContaining(three));
      expect([ofOnePayment > 0, asked() - before]).toEqual([true, 2 * ofOnePayment]);
    },
  );
});

describe('What cannot be replayed', () => {
  it.each([
    ['payments-stripe-events', 'fills no projection'],
    ['webhooks-outcomes', 'webhooks-outcomes-payments, webhooks-outcomes-reconciliation'],
    ['shop-payments', 'begins with its service'],
  ])('is said of %s', async (consumer, says) => {
    const { exitCode, err } = await world.tidegate(`events replay --consumer ${consumer} --reason x --yes`);
    expect([exitCode, err]).toEqual([1, expect.stringContaining(says)]);
  });

  it('is nothing when nothing differs', async () => {
    const { exitCode, out } = await replay('--yes');
    expect([exitCode, out]).toEqual([0, expect.stringMatching(/^Nothing differs: \d+ messages/)]);
  });
});
