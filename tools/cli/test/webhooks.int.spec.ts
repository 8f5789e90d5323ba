import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { WebhookEndpointsView } from '@tidegate/contracts/ops/webhook-endpoints';
import type { OperatorEventView, ReplayOrderView, ReplayView } from '@tidegate/contracts/ops/webhook-events';
import type { SweepStatusView, SweepView } from '@tidegate/contracts/ops/webhook-sweeps';
import type { PaymentView } from '@tidegate/contracts/responses';
import { eventually } from '@tidegate/test-harness/eventually';
import { operatorWorld, type OperatorWorld, SECRET_KEY } from './operator-world.js';

/** Stripe reaches nobody: there is no endpoint, so not one delivery is made, and only the sweep tells what happened. */
let world: OperatorWorld;
beforeAll(async () => {
  world = await operatorWorld({
    webhooks: { WEBHOOKS_SWEEP_SECONDS: '1', WEBHOOKS_SWEEP_SETTLE_SECONDS: '0', WEBHOOKS_SWEEP_OVERLAP_SECONDS: '120' },
  });
}, 120_000);
afterAll(() => world?.stop());

const pay = (payment_method: string, more: object = {}) =>
  world.post<PaymentView>('/v1/payments', { amount: 4200, currency: 'usd', payment_method, ...more });
const get = async <T>(path: string): Promise<T> =>
  (await (await fetch(`${world.url}${path}`, { headers: { authorization: `Bearer ${world.key}` } })).json()) as T;
async function atStripe(act: string, body: object): Promise<void> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  expect((await fetch(`${world.simulator.url}/__dashboard/${act}`, init)).status).toBe(200);
}
const posts = () => world.simulator.world.requests.all().filter((request) => request.method === 'POST').length;
const written = () => world.query<{ action: string; reason: string }>('select action, reason from webhooks.operator_actions order by id');

let paid: PaymentView;

describe('With no delivery at all, only the sweep,', () => {
  it('payments come to where they are at Stripe, whatever happened there', async () => {
    paid = await pay('pm_card_visa');
    const disputed = await pay('pm_card_visa');
    const challenged = await pay('pm_card_threeDSecure2Required', { return_url: 'https://shop.example/back' });
    expect([paid.status, challenged.status]).toEqual(['succeeded', 'requires_action']);
    await atStripe('refund', { payment_intent: paid.stripe_payment_intent, amount: 1200 });
    await atStripe('dispute', { payment_intent: disputed.stripe_payment_intent, amount: 4200 });
    await atStripe('complete_action', { payment_intent: challenged.stripe_payment_intent });

    await eventually(
      async () => {
        expect(await get(`/v1/payments/${challenged.id}`)).toMatchObject({ status: 'succeeded', amount_captured: 4200 });
        expect(await get(`/v1/payments/${paid.id}`)).toMatchObject({
          status: 'succeeded',
          amount_refunded: 1200,
          refunds: [{ status: 'succeeded' }],
        });
        expect(await get(`/v1/payments/${disputed.id}`)).toMatchObject({ dispute: { status: 'needs_response', amount: 4200 } });
      },
      { timeoutMs: 30_000 },
    );
    expect(world.simulator.world.deliveries.all()).toEqual([]);
    // Further news, of balances for one, is found while this reads.
    const metrics = await eventually(async () => {
      const text = await (await fetch(`${world.webhooksUrl}/metrics`)).text();
      const stored = Number((await world.query<{ n: string }>('select count(*) as n from webhooks.stripe_events'))[0]!.n);
      const missed = Number(/^stripe_events_missed_total (\d+)$/m.exec(text)?.[1]);
      expect([missed > 0, missed]).toEqual([true, stored]);
      return text;
    });
    expect(/^stripe_sweep_overdue (\d)$/m.exec(metrics)?.[1]).toBe('0');
    expect(Number(/^stripe_sweep_behind_seconds (\S+)$/m.exec(metrics)?.[1])).toBeLessThan(60);
  }, 60_000);

  it('what no endpoint asks for does not count as found instead of delivered', async () => {
    await fetch(`${world.simulator.url}/v1/products`, {
      method: 'POST',
      headers: { authorization: `Bearer ${SECRET_KEY}` },
      body: new URLSearchParams({ name: 'A plan' }),
    });
    // Further news, of balances for one, is found while this reads.
    await eventually(async () => {
      const [stored] = await world.query<{ asked: number; other: number }>(
        `select count(*) filter (where event_type <> 'product.created')::int as asked, count(*) filter (where event_type = 'product.created')::int as other
         from webhooks.stripe_events`,
      );
      const { value } = await world.json<WebhookEndpointsView>('webhooks endpoints');
      const text = await (await fetch(`${world.webhooksUrl}/metrics`)).text();
      const missed = Number(/^stripe_events_missed_total (\d+)$/m.exec(text)?.[1]);
      expect([stored?.other, value.last_hour.sweep, missed]).toEqual([1, stored?.asked, stored?.asked]);
    });
  });

  it('the endpoints say why, and the sweep how far it is', async () => {
    const { exitCode, value } = await world.json<WebhookEndpointsView>('webhooks endpoints');
    expect([exitCode, value.findings.map(({ kind }) => kind), value.last_hour.webhook, value.last_delivery_at]).toEqual([
      2,
      ['silent'],
      0,
      null,
    ]);
    expect((await world.tidegate('webhooks endpoints')).out).toContain('! silent: No enabled endpoint of Stripe delivers to Tidegate');
    const status = await world.json<SweepStatusView>('webhooks sweep --check');
    expect([status.exitCode, status.value]).toMatchObject([0, { overdue: false, unlisted_seconds: 0, every_seconds: 1 }]);
    expect((await world.tidegate('webhooks sweep --check')).out).toMatch(/^runway +29 d 22 h until Stripe/m);
  });

  it('an operator has the list read from further back, and finds nothing new', async () => {
    const preview = await world.tidegate('webhooks sweep --since 90d --reason "a drill"');
    expect(`${preview.out}${preview.err}`).toContain(', of which Stripe lists the last 30 days, to now');
    const { exitCode, value } = await world.json<{ result: SweepView }>('webhooks sweep --since 3h --reason "a drill" --yes');
    expect([exitCode, value.result]).toMatchObject([0, { status: 'completed', found: 0 }]);
    expect((await world.tidegate('webhooks sweep --yes')).err).toContain('Say why with --reason');
    expect((await written()).map(({ action }) => action)).toEqual(['webhook_sweep.order']);
  });

  it('an operator who does not wait is not told that nothing was missed', async () => {
    world.simulator.addFault({ fault: 'error_500_before', route: 'GET /v1/events', times: 0 } as never);
    const { exitCode, out } = await world.tidegate('webhooks sweep --since 1h --reason "nobody waits" --yes --detach');
    world.simulator.clearFaults();
    expect([exitCode, out]).toEqual([0, expect.stringMatching(/^status +running\nread .*\nmissed +nothing yet$/m)]);
    await eventually(async () => {
      const { value } = await world.json<SweepStatusView>('webhooks sweep --check');
      expect(value.ordered[0]).toMatchObject({ reason: 'nobody waits', status: 'completed' });
    });
  });

  it('an operator hears what was missed, and apart from it what Stripe would deliver to nobody', async () => {
    const forget = (type: string) =>
      world.query<{ id: string }>(`delete from webhooks.stripe_events where event_type = '${type}' returning stripe_event_id as id`);
    // The regular one has just been, and for long comes no more: it would find them as well.
    await world.query(`update webhooks.sweep_cursors set updated_at = now() + interval '1 day'`);
    expect(await forget('product.created')).toHaveLength(1);
    const other = await world.tidegate('webhooks sweep --since 1h --reason "lost rows" --yes');
    expect([other.exitCode, other.out]).toEqual([
      0,
      expect.stringMatching(/^missed +nothing new\nalso new +1 of types that Tidegate does not ask to have delivered$/m),
    ]);

    const forgotten = await forget('charge.updated');
    const { exitCode, value } = await world.json<{ result: SweepView }>('webhooks sweep --since 1h --reason "lost rows" --yes');
    expect([exitCode, value.result]).toMatchObject([2, { status: 'completed', found: forgotten.length, missed: forgotten.length }]);
    await world.query(`update webhooks.sweep_cursors set updated_at = to_timestamp(0)`);
    const { value: list } = await world.json<{ data: OperatorEventView[] }>('webhooks list --type charge.updated');
    expect(list.data.map(({ id }) => id).sort()).toEqual(forgotten.map(({ id }) => id).sort());
  });
});

describe('What Stripe told about a payment', () => {
  it('is listed, each event with what became of it', async () => {
    await eventually(async () => {
      const { value } = await world.json<{ data: OperatorEventView[] }>(`webhooks list --object ${paid.stripe_payment_intent}`);
      expect(value.data.map(({ type, status, source }) => [type, status, source]).sort()).toEqual([
        ['payment_intent.created', 'processed', 'sweep'],
        ['payment_intent.succeeded', 'processed', 'sweep'],
      ]);
    });
    const { exitCode, out } = await world.tidegate('webhooks list --status failed');
    expect([exitCode, out]).toEqual([0, 'There are none.\n']);
    await world.query(`update webhooks.stripe_events set processing_outcome = 'failed' where object_id = $1`, [paid.stripe_payment_intent]);
    expect((await world.tidegate('webhooks list --status failed')).exitCode).toBe(2);
  });

  it('is shown: what it says without secrets, and what each consumer made of it', async () => {
    const { value } = await world.json<{ data: OperatorEventView[] }>(`webhooks list --object ${paid.stripe_payment_intent}`);
    const { out } = await world.tidegate(`webhooks show ${value.data[0]!.id}`);
    expect(out).toMatch(/^payments-stripe-events +processed /m);
    expect(out).toContain(`"payment_intent": "${paid.stripe_payment_intent}"`);
    expect(out).not.toContain('_secret_');
    expect((await world.tidegate('webhooks show evt_nowhere')).exitCode).toBe(1);
  });
});

describe('A replay', () => {
  it('is previewed, asked about, done once and written down; Stripe is sent nothing', async () => {
    const which = `--object ${paid.stripe_payment_intent} --status failed`;
    const seen = await world.json<{ result: ReplayOrderView }>(`webhooks replay ${which} --dry-run`);
    expect([seen.exitCode, seen.value.result]).toMatchObject([0, { dry_run: true, matched: 2, queued: 0, job: null }]);
    const asked = await world.tidegate(`webhooks replay ${which} --reason "fixed in 1.4.2"`);
    expect([asked.exitCode, asked.out]).toEqual([1, expect.stringContaining('publish 2 events once more (2 failed)')]);
    expect((await world.json<{ data: ReplayView[] }>('webhooks replays')).value.data).toEqual([]);

    const [events, before] = [await get(`/v1/payments/${paid.id}/events`), posts()];
    const { exitCode, value } = await world.json<{ result: ReplayView }>(`webhooks replay ${which} --reason "fixed in 1.4.2" --yes`);
    expect([exitCode, value.result]).toMatchObject([0, { status: 'completed', taken: 2, by_status: [{ status: 'processed', count: 2 }] }]);
    expect([await get(`/v1/payments/${paid.id}/events`), posts()]).toEqual([events, before]);
    expect((await written()).at(-1)).toEqual({ action: 'webhook_replay.order', reason: 'fixed in 1.4.2' });

    const { id } = value.result;
    expect((await world.tidegate(`webhooks replays ${id}`)).out).toMatch(/^they are +2 processed$/m);
    expect((await world.tidegate('webhooks replays')).out).toMatch(new RegExp(`^${id} +completed +2 +2 +2 processed`, 'm'));
    const stop = await world.tidegate(`webhooks stop-replay ${id} --reason "too late" --yes`);
    expect([stop.exitCode, stop.err]).toEqual([1, expect.stringContaining('The replay is completed; it cannot stop.')]);
  });

  it('that is stopped is gone on with', async () => {
    await world.query(
      `insert into webhooks.replay_jobs (id, status, filter, actor, reason, matched, more, taken, ordered_at)
       values ('rpl_stopped00', 'stopped', '{"type":"refund.created"}', 'key', 'a look first', 1, false, 0, now())`,
    );
    expect((await world.tidegate('webhooks replays rpl_stopped00')).exitCode).toBe(2);
    const resumed = await world.tidegate('webhooks resume-replay rpl_stopped00 --reason "go on" --yes');
    expect([resumed.exitCode, resumed.out]).toEqual([
      0,
      expect.stringContaining('go on with rpl_stopped00 after 0 of 1 events (it is stopped)'),
    ]);
    await eventually(async () => {
      const { value } = await world.json<ReplayView>('webhooks replays rpl_stopped00');
      expect(value).toMatchObject({ status: 'completed', taken: 1 });
    });
  });

  it('of what is not there says so, and one of everything must be asked for', async () => {
    const none = await world.tidegate('webhooks replay evt_nowhere --reason x --yes');
    expect([none.exitCode, none.out]).toEqual([2, 'There is nothing to replay.\nevt_nowhere: there is no such event\n']);
    const { exitCode, err } = await world.tidegate('webhooks replay --reason x --yes');
    expect([exitCode, err]).toEqual([1, expect.stringContaining('Which? Give ids')]);
  });
});
