import { WrongExpectedVersion } from '@tidegate/event-store/append';
import { DISCREPANCY_CLASSES, type DiscrepancyClass, type RunComparison } from '@tidegate/contracts/responses';
import type { Failpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import { stage } from '@tidegate/messaging/outbox';
import { RpcFailed, RpcTimeout, RpcUnavailable } from '@tidegate/messaging/rpc';
import type { Clock } from '@tidegate/service-host/clock';
import type { Logger } from '@tidegate/telemetry/logger';
import type { Kysely } from 'kysely';
import type { CompareRules, Finding } from '../compare/finding.js';
import { FIRST_LIST, firstRead } from '../compare/first-read.js';
import { InboxBehind, type InboxProgress } from '../compare/inbox-progress.js';
import type { CompareStripe } from '../compare/kind.js';
import type { UsageComparer } from '../compare/usage.port.js';
import { type Patience, StripeUnanswered } from '../compare/patient-stripe.js';
import { secondRead } from '../compare/second-read.js';
import type { LedgerRepair } from '../ledger/repair.js';
import type { JobError, ReconciliationMetrics } from '../reconciliation-metrics.js';
import { proposedRepair } from '../repair/proposed-repair.decide.js';
import { applyRepair } from '../repair/repair.flow.js';
import type { RepairPort } from '../repair/repair.port.js';
import type { ReconciliationTables } from '../tables.js';
import { cutAt } from './period.decide.js';
import {
  type Attempt,
  type Begun,
  beginAttempt,
  bringForward,
  endWork,
  forgetAttempt,
  goTo,
  type Outcome,
  progressOf,
  recordOutcomes,
  RunTakenOver,
  type Settled,
  settledSuspects,
} from './progress.store.js';
import type { DiscrepanciesFound, Discrepancy, RunFinished } from './run.events.js';
import { publishRunFinished } from './run.publish.js';
import { type ComparedRun, EVERY_TENANT, firstSeen, gone, previousRun } from './comparison.js';
import { appendRunEvents, type OpenRun } from './run.store.js';

export interface RunParts {
  db: Kysely<ReconciliationTables>;
  failpoints: Failpoints;
  clock: Clock;
  logger: Logger;
  metrics: ReconciliationMetrics;
  stripe: CompareStripe;
  inbox: InboxProgress;
  usage: UsageComparer;
  repair: RepairPort;
  ledger: LedgerRepair;
  rules: CompareRules;
  patienceMs: number;
  /** From the first beginning of a run to its end, on the wall clock. */
  deadlineMs: number;
  quietMs: number;
  roundMs: number;
  /** The outbox has rows. */
  staged(): void;
  /** A run that tells how fresh the comparison is has succeeded; does not throw. */
  succeeded(): void;
}

/** A run that has been started this often without coming to an end is not started again. */
const MOST_ATTEMPTS = 5;
/** Discrepancies per event, and suspects held at a time. */
const CHUNK = 200;
/** RunRequested is the first event of the stream and nothing follows it but the end. */
const REQUESTED = 1;
const NEARLY_DONE = 0.98;
const READ = 0.9;

type Pass = Pick<Patience, 'stopping' | 'alive'>;

interface Ending {
  finished: RunFinished['data'];
  found: Discrepancy[];
}

/**
 * Executes one run to its end. It succeeds only when every page was read; what cannot be read makes it `failed`, with the reason and without findings. When the
 * process dies in the middle the next leader goes on with the page after the last one that was recorded.
 */
export async function executeRun(parts: RunParts, run: OpenRun, pass: Pass): Promise<void> {
  const began = performance.now();
  const begun = await beginAttempt(parts.db, run.run_id, { kind: FIRST_LIST, until: parts.clock.now() });
  const { attempt, tries, ageSeconds } = begun;
  const execution = { runId: run.run_id, attempt };
  const seconds = () => ageSeconds + (performance.now() - began) / 1000;
  const fail = async (reason: string) => finish(parts, run, seconds(), await failed(parts, execution, reason));
  if (tries > MOST_ATTEMPTS) return fail(`gave up after ${MOST_ATTEMPTS} attempts`);
  const overdue = AbortSignal.timeout(Math.max(0, Math.ceil(parts.deadlineMs - ageSeconds * 1000)));
  try {
    const stopping = AbortSignal.any([pass.stopping, overdue]);
    await finish(parts, run, seconds(), await compare(parts, run, begun, { ...pass, stopping, ...execution }));
  } catch (error) {
    if (pass.stopping.aborted) return forgetAttempt(parts.db, execution);
    if (error instanceof RunTakenOver) return;
    if (overdue.aborted) {
      parts.metrics.jobError('reconciliation', 'deadline');
      return fail(`not done within ${Math.round(parts.deadlineMs / 1000)} s`);
    }
    const cause = causeOf(error);
    parts.metrics.jobError('reconciliation', cause);
    if (cause === 'internal') throw error;
    parts.logger.warn({ event: 'reconciliation_broke_off', run: run.run_id, err: error }, 'A run got no answer that it needs');
    await fail(whyOf(error, cause));
  }
}

async function compare(parts: RunParts, run: OpenRun, { position, until }: Begun, pass: Pass & Attempt): Promise<Ending> {
  const period = cutAt(run, until);
  const tenant = run.tenant === EVERY_TENANT ? null : run.tenant;
  const context = { ...parts, trigger: run.trigger, ofTheDay: run.tells_freshness, classes: run.classes, tenant, period, ...pass };
  if (position.phase !== 'report') {
    await firstRead(context, position);
    if (run.tells_freshness) await bringForward(parts.db, pass, period);
    await goTo(parts.db, pass, 'second_read', READ);
    await secondRead(context);
    await goTo(parts.db, pass, 'report', NEARLY_DONE);
  }
  const found = await report(parts, run, pass);
  const { pages, objects, tallies } = await progressOf(parts.db, pass);
  const counts = { ...countsOf(run, found), foreign: 0, fee_pending: 0, ...tallies };
  const compared = await comparedBefore(parts, { ...run, tenant, period }, found);
  return { found, finished: { run_id: run.run_id, status: 'succeeded', counts, pages, objects, failure: null, ...compared } };
}

async function failed({ db }: RunParts, execution: Attempt, failure: string): Promise<Ending> {
  const { pages, objects } = await progressOf(db, execution);
  return { found: [], finished: { run_id: execution.runId, status: 'failed', counts: {}, pages, objects, failure } };
}

/** What counts, with what was done about it. */
async function report(parts: RunParts, run: OpenRun, pass: Pass & Attempt): Promise<Discrepancy[]> {
  const found: Discrepancy[] = [];
  for (let after = 0; ;) {
    const page = await settledSuspects(parts.db, run.run_id, after, CHUNK);
    for (const suspect of page) {
      pass.stopping.throwIfAborted();
      found.push(...(await rowsOf(parts, run, suspect, pass, found.length)));
      pass.alive();
    }
    after = page.at(-1)?.number ?? after;
    if (page.length < CHUNK) return found;
  }
}

async function rowsOf(parts: RunParts, run: OpenRun, suspect: Settled, attempt: Attempt, before: number): Promise<Discrepancy[]> {
  const wanted = suspect.findings.filter((one) => run.classes === null || run.classes.includes(one.class));
  const outcomes = [...(suspect.outcomes ?? [])];
  for (const finding of wanted.slice(outcomes.length)) {
    // Whoever executes the run now asks for what is left of it.
    if (run.mode === 'repair') await progressOf(parts.db, attempt);
    outcomes.push(await outcomeOf(parts, run, finding, suspect.tenant));
    if (run.mode === 'repair') await recordOutcomes(parts.db, attempt, suspect.number, outcomes);
  }
  const { tenant } = suspect;
  const seen = await firstSeen(
    parts.db,
    wanted.map((one) => ({ ...one, tenant })),
  );
  return wanted.map((finding, i) => {
    const { intent: _, beyond_repair: __, ...row } = finding;
    return {
      ...row,
      tenant,
      number: before + i + 1,
      first_seen: (seen[i] ?? parts.clock.now()).toISOString(),
      made_at: suspect.made_at?.toISOString() ?? null,
      state: seen[i] ? ('persisting' as const) : ('new' as const),
      proposed_repair: proposedRepair(finding),
      ...outcomes[i]!,
    };
  });
}

/** What is new, persists and is gone since the run before; of a run of every tenant, for each too. */
async function comparedBefore(
  { db }: RunParts,
  run: ComparedRun,
  found: readonly Discrepancy[],
): Promise<Pick<RunFinished['data'], 'comparison' | 'of_tenants'>> {
  const keyed = found.map((one) => ({ ...one, tenant: one.tenant! }));
  const previous = await previousRun(db, run);
  const left = previous === null ? new Map<string, number>() : await gone(db, run, previous, keyed);
  const compared = (rows: readonly Discrepancy[], lost: number): RunComparison => {
    const fresh = rows.filter((one) => one.state === 'new').length;
    return { previous, new: fresh, persisting: rows.length - fresh, gone: lost };
  };
  const all = [...left.values()].reduce((sum, count) => sum + count, 0);
  if (run.tenant !== null) return { comparison: compared(found, all) };
  const tenants = [...new Set([...keyed.map((one) => one.tenant), ...left.keys()])];
  const of_tenants = Object.fromEntries(
    tenants.map((tenant) => {
      const own = keyed.filter((one) => one.tenant === tenant);
      return [tenant, { counts: countsOf(run, own), comparison: compared(own, left.get(tenant) ?? 0) }];
    }),
  );
  return { comparison: compared(found, all), of_tenants };
}

async function outcomeOf(parts: RunParts, run: OpenRun, finding: Finding, tenant: string): Promise<Outcome> {
  if (run.mode === 'report') return { applied: false, reason: 'report only' };
  return applyRepair(parts, finding, { run: run.run_id, tenant });
}

/** Every class that was looked for stands there, at 0 when nothing was found. */
function countsOf(run: Pick<OpenRun, 'classes'>, found: readonly Discrepancy[]): Record<string, number> {
  const classes = DISCREPANCY_CLASSES.filter((one) => run.classes === null || run.classes.includes(one));
  const count = (name: DiscrepancyClass) => found.filter((one) => one.class === name).length;
  return Object.fromEntries(classes.map((name) => [name, count(name)]));
}

async function finish(parts: RunParts, run: OpenRun, seconds: number, { found, finished }: Ending): Promise<void> {
  const at = parts.clock.now();
  const end: RunFinished = { type: 'RunFinished', data: finished };
  try {
    await inTransaction(parts, 'reconciliation.run.finish', async (tx) => {
      await appendRunEvents(tx, run.run_id, REQUESTED, [...chunks(run, found), end], run.run_id, at);
      await stage(tx, [publishRunFinished(run, end, run.run_id, at)]);
      await endWork(tx, run.run_id);
    });
  } catch (error) {
    if (!(error instanceof WrongExpectedVersion)) throw error;
    // Another leader has finished it meanwhile, perhaps before this one began.
    return parts.db.transaction().execute((tx) => endWork(tx, run.run_id));
  }
  parts.staged();
  parts.metrics.finished(finished.status, seconds, finished.counts);
  const fields = { run: run.run_id, trigger: run.trigger, counts: finished.counts, pages: finished.pages, objects: finished.objects };
  if (finished.status === 'succeeded') {
    parts.logger.info({ event: 'reconciliation_completed', ...fields }, 'A reconciliation run has read everything');
    if (run.tells_freshness) parts.succeeded();
  } else
    parts.logger.error(
      { event: 'reconciliation_failed', ...fields, failure: finished.failure },
      'A reconciliation run could not read everything',
    );
}

function chunks(run: OpenRun, found: readonly Discrepancy[]): DiscrepanciesFound[] {
  const events: DiscrepanciesFound[] = [];
  for (let at = 0; at < found.length; at += CHUNK) {
    events.push({
      type: 'DiscrepanciesFound',
      data: { run_id: run.run_id, tenant: run.tenant, discrepancies: found.slice(at, at + CHUNK) },
    });
  }
  return events;
}

/** Tenants read it: the words of another service's database are for the log. */
function whyOf(error: unknown, cause: JobError): string {
  if (error instanceof RpcFailed) return `${error.subject}: it failed there`;
  return error instanceof Error ? error.message : cause;
}

function causeOf(error: unknown): JobError {
  if (error instanceof StripeUnanswered) return 'stripe_unavailable';
  if (error instanceof InboxBehind) return 'inbox_behind';
  if (error instanceof RpcUnavailable || error instanceof RpcTimeout || error instanceof RpcFailed) return 'payments_unavailable';
  return 'internal';
}
