import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@tidegate/test-harness/eventually';
import { operatorWorld, type OperatorWorld } from './operator-world.js';

let world: OperatorWorld;
beforeAll(async () => {
  world = await operatorWorld({
    deliveries: true,
    whole: true,
    webhooks: { WEBHOOKS_SWEEP_SETTLE_SECONDS: '0' },
    reconciliation: { RECONCILIATION_QUIET_SECONDS: '0', RECONCILIATION_ROLLING_SECONDS: '0' },
  });
  await pay();
  await allHandled();
}, 120_000);
afterAll(() => world?.stop());
beforeEach(async () => {
  const hold = await world.tidegate('restore hold --since 1h --yes --reason "restored from a snapshot"');
  expect([hold.exitCode, hold.err]).toEqual([0, '']);
  expect((await pay()).code).toBe('service.on_hold');
});

const allHandled = () =>
  eventually(async () => expect((await world.json<{ data: unknown[] }>('webhooks list --unhandled')).value.data).toEqual([]));
const pay = () => world.post<{ code?: string }>('/v1/payments', { amount: 4200, currency: 'usd', payment_method: 'pm_card_visa' });
/** An event that reconciliation has not handled yet, though payments has. */
async function halfHandled(work: () => Promise<void>): Promise<void> {
  const where = `stripe_event_id = (SELECT min(stripe_event_id) FROM webhooks.stripe_events WHERE event_type = 'charge.succeeded')
    AND consumer = 'reconciliation-stripe-events'`;
  const [row] = await world.query<Record<string, unknown>>(`DELETE FROM webhooks.stripe_event_outcomes WHERE ${where} RETURNING *`);
  await work();
  await world.query(
    'INSERT INTO webhooks.stripe_event_outcomes (created, stripe_event_id, consumer, outcome, reason, reported_at) VALUES ($1, $2, $3, $4, $5, $6)',
    ['created', 'stripe_event_id', 'consumer', 'outcome', 'reason', 'reported_at'].map((column) => row?.[column]),
  );
}

describe('`restore finish`', () => {
  it('waits until every consumer has handled each event, says where to look, and keeps requests held', async () => {
    await halfHandled(async () => {
      const { exitCode, out } = await world.tidegate('restore finish --wait 1s --yes --reason "INC-42"');
      expect([exitCode, out]).toEqual([2, expect.stringMatching(/requests +stay held[\s\S]*webhooks list --unhandled/)]);
      const list = await world.json<{ data: { status: string; type: string }[] }>('webhooks list --unhandled');
      expect(list.value.data).toMatchObject([{ status: 'processed', type: 'charge.succeeded' }]);
      expect((await pay()).code).toBe('service.on_hold');
    });
  }, 60_000);

  it('takes requests again although events wait, when it is told to, and says that they do', async () => {
    await halfHandled(async () => {
      const { exitCode, out } = await world.tidegate('restore finish --wait 1s --open-anyway --yes --reason "INC-42"');
      expect([exitCode, out]).toEqual([2, expect.stringMatching(/requests +are taken again[\s\S]*some wait to be handled/)]);
      expect((await world.tidegate('restore status')).exitCode).toBe(0);
      expect((await pay()).code).toBeUndefined();
    });
  }, 60_000);

  it('waits as long for what a consumer gave up, which nothing on record tells of, until a person has decided about it', async () => {
    await allHandled();
    await world.query(
      `INSERT INTO payments.inbox (consumer, generation, message_id, epoch, aggregate, subject, bytes, state, reason, failures, first_failed_at)
       SELECT consumer, live, gen_random_uuid(), 1, 'pi_1', 'stripe.events.refund.v1', '{}', 'dead', 'a bug in 1.4.1', 1, now()
       FROM payments.inbox_generations WHERE consumer = 'payments-stripe-events'`,
    );
    const { exitCode, out } = await world.tidegate('restore finish --wait 1s --yes --reason "INC-42"');
    expect([exitCode, out]).toEqual([2, expect.stringMatching(/requests +stay held[\s\S]*tidegate dead-letters list/)]);
    const discarded = await world.tidegate('dead-letters discard --consumer payments-stripe-events --yes --reason "INC-42"');
    expect(discarded.exitCode).toBe(0);
    expect((await world.tidegate('restore finish --yes --reason "INC-42"')).exitCode).toBe(0);
  }, 60_000);

  it('takes requests again when nothing is left', async () => {
    const { exitCode, out } = await world.tidegate('restore finish --yes --reason "INC-42"');
    expect([exitCode, out]).toEqual([0, expect.stringMatching(/requests +are taken again[\s\S]*all are handled/)]);
  }, 60_000);
});
