import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { ReconciliationStatusView } from '@tidegate/contracts/ops/reconciliation';
import type { DiscrepancyView, RunView } from '@tidegate/contracts/responses';
import { eventually } from '@tidegate/test-harness/eventually';
import { tidegate } from './console.js';
import { operatorWorld, type OperatorWorld } from './operator-world.js';
import { pay, PLANTED, reachable, silently } from './planted.js';

jest.setTimeout(60_000);

let world: OperatorWorld;
beforeAll(async () => {
  world = await operatorWorld({
    whole: true,
    deliveries: true,
    simulator: { balanceDelayMs: 0 },
    payments: { USAGE_REPORT_SECONDS: '1' },
    reconciliation: {
      RECONCILIATION_PATIENCE_SECONDS: '3',
      RECONCILIATION_QUIET_SECONDS: '0',
      RECONCILIATION_STALE_SECONDS: '1',
      RECONCILIATION_CRON: 'off',
      RECONCILIATION_ROLLING_SECONDS: '0',
    },
  });
}, 120_000);
afterAll(() => world?.stop());

interface Done {
  run: RunView;
  data: DiscrepancyView[];
}

async function reconcile(flags = ''): Promise<Done & { exitCode: number }> {
  const { exitCode, value } = await world.json<Done & { result?: Done }>(`reconcile run ${flags}`);
  return { exitCode, ...(value.result ?? value) };
}

/** Runs until both sides agree: what payments was asked for, it does by itself. */
const clean = () =>
  eventually(async () => {
    const { exitCode, data } = await reconcile();
    expect([exitCode, data]).toEqual([0, []]);
  });

describe('What was planted silently', () => {
  it('is named, each by its class and nothing else, healed by a repair, and gone in the next run', async () => {
    await clean();
    for (const [, plant] of PLANTED) await plant(world);
    const names = PLANTED.map(([name]) => name).sort();
    const found = await eventually(async () => {
      const run = await reconcile();
      expect(run.data.map((row) => row.class).sort()).toEqual(names);
      return run;
    });
    expect([found.exitCode, new Set(found.data.map((row) => row.applied))]).toEqual([2, new Set([false])]);
    await reachable(world);
    const { exitCode, data } = await reconcile('--repair all --reason "spec" --yes');
    expect(data.map((row) => [row.class, row.state, row.applied, row.reason]).sort()).toEqual(
      names.map((name) => [name, 'persisting', true, null]),
    );
    expect(exitCode).toBe(0);
    await clean();
    world.simulator.clearFaults();
    const [run] = (await world.json<{ data: RunView[] }>('reconcile runs --limit 1')).value.data;
    expect(run?.comparison).toMatchObject({ new: 0, persisting: 0 });
  });

  it('payments that never learnt of their intent are found and healed within two sweeps', async () => {
    // No news come, the answer is lost, and so is the first look for it: payments itself looks again in 5 s.
    world.simulator.addFault({ fault: 'webhook_drop', times: 0 } as never);
    world.simulator.addFault({ fault: 'cut_body', route: 'POST /v1/payment_intents', times: 1 } as never);
    world.simulator.addFault({ fault: 'error_503', route: 'GET /v1/payment_intents', times: 1 } as never);
    const { id, status } = await pay(world);
    expect(status).toBe('unknown');
    // Reading it over REST would have it looked up sooner.
    await eventually(async () => {
      const [row] = await world.query(`select status from reconciliation.recorded_payments where payment_id = $1`, [id]);
      expect(row).toEqual({ status: 'succeeded' });
    });
    const [asked] = await world.query<{ asked: number }>(`select asked from reconciliation.repair_requests where payment_id = $1`, [id]);
    expect([1, 2]).toContain(asked?.asked);
    world.simulator.clearFaults();
    await clean();
  });
});

describe('The command', () => {
  it('exports what it found, as CSV and as JSON, and shows status and runs', async () => {
    await clean();
    const { stripe_payment_intent } = await pay(world, { capture_method: 'manual' });
    await silently(world, 'cancel', { payment_intent: stripe_payment_intent });
    const dir = mkdtempSync(join(tmpdir(), 'reconcile-'));
    const [csv, json] = [join(dir, 'rows.csv'), join(dir, 'rows.json')];
    const ran = await world.tidegate(['reconcile', '--report-only', '--export-discrepancies', csv]);
    expect([ran.exitCode, ran.out]).toEqual([2, expect.stringContaining('status_mismatch')]);
    expect(readFileSync(csv, 'utf8')).toMatch(
      /^class,object,[^\r]+\r\nstatus_mismatch,payment,pay_\w+,pi_\w+,authorized,canceled,[^\r]+\r\n$/,
    );
    await world.tidegate(['reconcile', 'run', '--export-discrepancies', json]);
    expect(JSON.parse(readFileSync(json, 'utf8'))).toMatchObject([{ class: 'status_mismatch', state: 'persisting' }]);
    const piped = await world.tidegate(['reconcile', 'run', '--export-discrepancies']);
    expect([piped.exitCode, piped.out.split('\r\n')[0]]).toEqual([2, expect.stringMatching(/^class,object/)]);

    expect((await world.tidegate('reconcile run --every-tenant')).exitCode).toBe(2);
    const status = await world.json<ReconciliationStatusView>('reconcile status');
    expect([status.exitCode, status.value]).toMatchObject([0, { overdue: false, cron: null, last_success_at: expect.any(String) }]);
    const { value: list } = await world.json<{ data: RunView[] }>('reconcile runs --status succeeded --limit 1');
    expect((await world.json(`reconcile status ${list.data[0]!.id}`)).exitCode).toBe(2);
  });

  it('shows what a run of every tenant found of another tenant to whoever may see that, and nothing of it to others', async () => {
    const { id, stripe_payment_intent } = await pay(world, { capture_method: 'manual' });
    const isOf = (tenant: string) =>
      world.query(
        `update reconciliation.recorded_payments set tenant = $2 where payment_id = $1 and status = 'authorized' returning payment_id`,
        [id, tenant],
      );
    await eventually(async () => expect(await isOf('other')).toHaveLength(1));
    await silently(world, 'cancel', { payment_intent: stripe_payment_intent });
    const rows = async (run: RunView, env?: Record<string, string>) =>
      (await world.json<{ data: DiscrepancyView[] }>(`reconcile status ${run.id}`, env)).value.data.map((row) => row.payment_id);
    const run = await eventually(async () => {
      expect((await world.tidegate('reconcile run --every-tenant')).exitCode).toBe(2);
      const { value } = await world.json<{ data: [RunView] }>('reconcile runs --every-tenant --limit 1');
      expect(value.data[0].every_tenant).toBe(true);
      expect(await rows(value.data[0])).toContain(id);
      return value.data[0];
    });
    expect(await rows(run, { TIDEGATE_API_KEY: await world.newKey({ scopes: ['reconciliation:read'] }) })).not.toContain(id);
    await isOf('default');
  });

  it('says 1 when the run failed, when nobody said yes, and when it was asked for nonsense', async () => {
    world.simulator.addFault({ fault: 'forbidden', route: 'GET /v1/disputes', times: 1 } as never);
    expect((await world.tidegate('reconcile run --repair status_mismatch --reason "spec"')).exitCode).toBe(1);
    expect((await world.tidegate('reconcile run --repair status_mismatch --report-only --reason "spec"')).exitCode).toBe(1);
    expect((await world.tidegate('reconcile run --repair odd --reason "spec"')).exitCode).toBe(1);
    expect((await world.tidegate('reconcile run --detach --export-discrepancies rows.csv')).exitCode).toBe(1);
    expect((await world.tidegate('reconcile run --repair all --export-discrepancies --reason "spec" --yes')).out).toBe('');
    expect((await world.tidegate('reconcile run --start-date soon')).exitCode).toBe(1);
    const reversed = await world.tidegate('reconcile run --start-date 2026-11-21 --end-date 2026-11-20');
    expect([reversed.exitCode, reversed.err]).toEqual([1, expect.stringMatching(/^Failed: The request is not valid: [^:]+: .*\n$/)]);
    world.simulator.clearFaults();
  });

  it('does no run for a file that cannot be written', async () => {
    const newest = async () => (await world.json<{ data: RunView[] }>('reconcile runs --limit 1')).value.data[0]?.id;
    const before = await newest();
    const { exitCode, err } = await world.tidegate('reconcile run --export-discrepancies /nowhere/rows.csv');
    expect([exitCode, err]).toEqual([1, expect.stringMatching(/^Failed: ENOENT: [^\n]*\/nowhere'\.\n$/)]);
    const folder = await world.tidegate('reconcile run --export-discrepancies /tmp');
    expect([folder.exitCode, folder.err]).toEqual([1, 'Failed: /tmp is a folder; name a file to export to.\n']);
    expect(await newest()).toBe(before);
  });

  it('says 1 when a run could not read everything, which has found nothing, and moves along a bar meanwhile', async () => {
    const before = (await world.json<ReconciliationStatusView>('reconcile status')).value.last_success_at;
    world.simulator.addFault({ fault: 'error_503', route: 'GET /v1/disputes', times: 0 } as never);
    const env = { TIDEGATE_URL: world.url, TIDEGATE_API_KEY: world.key };
    const ran = await tidegate('reconcile run', { env, presses: 'n' });
    expect([ran.exitCode, ran.out]).toEqual([1, expect.stringMatching(/status +failed/)]);
    expect(ran.screen).toMatch(/━[^]*listing: \d+ pages, \d+ objects/);
    world.simulator.clearFaults();
    expect((await world.json<ReconciliationStatusView>('reconcile status')).value.last_success_at).toBe(before);
  });
});

/** How often anybody has asked the gateway for a list of Stripe's events. */
async function looksForEvents(): Promise<number> {
  const text = await (await fetch(`${world.url}/metrics`)).text();
  return Number(/^http_request_duration_seconds_count\{[^}]*route="\/v1\/ops\/webhook-events",[^}]*\} (\d+)$/m.exec(text)?.[1] ?? 0);
}

/** A consumer has said what it made of the slow event. */
async function reported(consumer: string): Promise<void> {
  await world.query(
    `insert into webhooks.stripe_event_outcomes (created, stripe_event_id, consumer, outcome, reported_at)
     select created, stripe_event_id, '${consumer}', 'processed', now() from webhooks.stripe_events where stripe_event_id = 'evt_slow'`,
  );
  await world.query(
    `update webhooks.stripe_events set processing_outcome = 'processed', processed_at = now() where stripe_event_id = 'evt_slow'`,
  );
}

describe('After a restore', () => {
  it('requests are not taken again before what Stripe told of since the backup is handled', async () => {
    await world.tidegate(['restore', 'hold', '--since', new Date(Date.now() - 60_000).toISOString(), '--reason', 'spec', '--yes']);
    await world.query(
      `insert into webhooks.stripe_events (stripe_event_id, created, event_type, object_id, livemode, payload, source, published_at, processing_outcome)
       values ('evt_slow', now(), 'charge.refunded', 'ch_1', false, '{}', 'sweep', now(), 'published')`,
    );
    const impatient = await world.tidegate('restore finish --reason "spec, in haste" --wait 1s --yes');
    expect([impatient.exitCode, impatient.out]).toEqual([2, expect.stringMatching(/requests +stay held[^]*some wait to be handled/)]);
    expect(await world.query(`select status from reconciliation.runs where reason = 'spec, in haste'`)).toContainEqual({
      status: 'succeeded',
    });
    const before = await looksForEvents();
    let ended = false;
    const finishing = world.tidegate('restore finish --reason "spec after a restore" --yes').finally(() => (ended = true));
    await eventually(async () => expect(ended || (await looksForEvents()) > before + 2).toBe(true), { timeoutMs: 30_000 });
    expect(ended).toBe(false);
    expect(await world.query(`select run_id from reconciliation.runs where reason = 'spec after a restore'`)).toEqual([]);
    await reported('payments-stripe-events');
    const looked = await looksForEvents();
    await eventually(async () => expect(ended || (await looksForEvents()) > looked + 2).toBe(true), { timeoutMs: 30_000 });
    expect(ended).toBe(false);
    await reported('reconciliation-stripe-events');
    const { exitCode, out } = await finishing;
    expect([exitCode, out]).toEqual([0, expect.stringMatching(/requests +are taken again/)]);
  });
});
