import type { DiscrepancyView, RunView } from '@tidegate/contracts/responses';
import { eventually } from '@tidegate/test-harness/eventually';
import { type Arena } from './arena.js';
import { makeEveryState } from './every-state.js';
import { type Random } from './seed.js';

const RUNS = '/v1/reconciliation/runs';
const DAY_MS = 86_400_000;

/** What a run of these days found; days as `YYYY-MM-DD`. Throws when it failed. */
export async function reconcile(
  arena: Arena,
  body: { start_date: string; end_date: string; mode?: 'report' | 'repair' },
  withinMs = 600_000,
): Promise<{ run: RunView; rows: DiscrepancyView[] }> {
  const asked = { mode: 'report', reason: 'chaos', ...body };
  const answer = await arena.client.send({ method: 'POST', path: RUNS, body: asked, key: crypto.randomUUID() });
  if (answer.status !== 201) throw new Error(`A run was refused: ${answer.body}`);
  const { id } = JSON.parse(answer.body) as RunView;
  const run = await eventually(
    async () => {
      const now = await arena.client.get<RunView>(`${RUNS}/${id}`);
      if (now.status === 'running') throw new Error(`The run is at ${now.progress.percent} %`);
      return now;
    },
    { timeoutMs: withinMs, everyMs: 250 },
  );
  if (run.status === 'failed') throw new Error(`The run ${id} failed`);
  return { run, rows: await arena.client.all<DiscrepancyView>(`${RUNS}/${id}/discrepancies`) };
}

export const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

/** News of Stripe's that is not handled yet: what a run names because of it is no mistake of the run. */
async function backlogs(arena: Arena): Promise<string> {
  const [[stored], [inbox]] = await Promise.all([
    arena.sql(`
      SELECT count(*)::int AS events, extract(epoch FROM clock_timestamp() - min(received_at))::int AS oldest_seconds
      FROM webhooks.stripe_events WHERE published_at IS NULL`),
    arena.sql(`
      SELECT count(*)::int AS messages, extract(epoch FROM clock_timestamp() - min(stored_at))::int AS oldest_seconds
      FROM payments.inbox WHERE state = 'pending' AND consumer = 'payments-stripe-events'`),
  ]);
  return JSON.stringify({ stored_by_webhooks: stored, stored_by_payments: inbox });
}

export interface CleanReport {
  made: number;
  runs: number;
  objects: number;
}

/**
 * Makes payments and checkouts in every state, with runs one after the other while they are made, and one over all of them at the end. Throws with the rows when any run
 * names anything.
 */
export async function cleanUnderTraffic(
  arena: Arena,
  random: Random,
  { count, say }: { count: number; say: (line: string) => void },
): Promise<CleanReport> {
  const days = { start_date: dayOf(Date.now() - DAY_MS), end_date: dayOf(Date.now() + DAY_MS) };
  const report = { made: count, runs: 0, objects: 0 };
  const look = async (): Promise<void> => {
    const { run, rows } = await reconcile(arena, days);
    if (rows.length > 0)
      throw new Error(
        `A run over clean payments named ${rows.length}: ${JSON.stringify(rows.slice(0, 10), null, 2)}\nStill on its way: ${await backlogs(arena)}`,
      );
    report.runs += 1;
    report.objects = run.progress.objects;
    say(`  run ${report.runs}: ${run.progress.objects} objects, nothing found`);
  };
  let over = false;
  const making = makeEveryState(arena, random, count, say).finally(() => (over = true));
  const looking = (async () => {
    while (!over) await look();
  })();
  await Promise.all([making, looking]);
  await look();
  return report;
}
