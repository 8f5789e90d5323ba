import { WrongExpectedVersion } from '@tidegate/event-store/append';
import { DISCREPANCY_CLASSES, type DiscrepancyClass } from '@tidegate/contracts/responses';
import type { Failpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import { stage } from '@tidegate/messaging/outbox';
import { RpcFailed, RpcTimeout, RpcUnavailable } from '@tidegate/messaging/rpc';
import type { Clock } from '@tidegate/service-host/clock';
import type { Logger } from '@tidegate/telemetry/logger';
import type { Kysely } from 'kysely';
import type { CompareRules, Finding } from '../compare/compare.decide.js';
import { type CompareStripe, firstRead } from '../compare/first-read.js';
import { InboxBehind } from '../compare/inbox-progress.js';
import { type Patience, StripeUnanswered } from '../compare/patient-stripe.js';
import { type InboxProgress, secondRead } from '../compare/second-read.js';
import type { JobError, ReconciliationMetrics } from '../reconciliation-metrics.js';
import type { RepairPort } from '../repair/repair.port.js';
import type { ReconciliationTables } from '../tables.js';
import { periodOf } from './period.decide.js';
import { proposedRepair } from './proposed-repair.decide.js';
import type { DiscrepanciesFound, Discrepancy, RunFinished } from './run.events.js';
import { publishRunFinished } from './run.publish.js';
import {
  appendRunEvents,
  type Attempt,
  beginAttempt,
  endWork,
  firstSeen,
  forgetAttempt,
  type OpenRun,
  progressOf,
  RunTakenOver,
} from './run.store.js';

export interface RunParts {
  db: Kysely<ReconciliationTables>;
  failpoints: Failpoints;
  clock: Clock;
  logger: Logger;
  metrics: ReconciliationMetrics;
  stripe: CompareStripe;
  inbox: InboxProgress;
  repair: RepairPort;
  rules: CompareRules;
  patienceMs: number;
  quietMs: number;
  roundMs: number;
  /** The outbox has rows. */
  staged(): void;
}

/** A run that has been started this often without coming to an end is not started again. */
const MOST_ATTEMPTS = 5;
/** Discrepancies per event. */
const CHUNK = 200;
/** RunRequested is the first event of the stream and nothing follows it but the end. */
const REQUESTED = 1;

type Pass = Pick<Patience, 'stopping' | 'alive'>;

interface Ending {
  finished: RunFinished['data'];
  found: Discrepancy[];
}

/**
 * Executes one run from its first page to its end. It succeeds only when every page was read; what cannot be read makes it `failed`, with the reason and
 * without findings. When the process dies in the middle the next leader begins again from the first page.
 */
export async function executeRun(parts: RunParts, run: OpenRun, pass: Pass): Promise<void> {
  const began = performance.now();
  const attempt = await beginAttempt(parts.db, run.run_id);
  const execution = { runId: run.run_id, attempt };
  if (attempt > MOST_ATTEMPTS) return finish(parts, run, began, await failed(parts, execution, `gave up after ${MOST_ATTEMPTS} attempts`));
  try {
    await finish(parts, run, began, await compare(parts, run, { ...pass, ...execution }));
  } catch (error) {
    if (pass.stopping.aborted) return forgetAttempt(parts.db, execution);
    if (error instanceof RunTakenOver) return;
    const cause = causeOf(error);
    parts.metrics.jobError('reconciliation', cause);
    if (cause === 'internal') throw error;
    await finish(parts, run, began, await failed(parts, execution, error instanceof Error ? error.message : cause));
  }
}

async function compare(parts: RunParts, run: OpenRun, pass: Pass & Attempt): Promise<Ending> {
  const context = { ...parts, tenant: run.tenant, period: periodOf(run.start_date, run.end_date), ...pass };
  const first = await firstRead(context);
  const confirmed = await secondRead(context, first);
  const wanted = confirmed.filter((one) => run.classes === null || run.classes.includes(one.class));
  const found: Discrepancy[] = [];
  for (const finding of wanted) {
    found.push(await discrepancy(parts, run, finding, found.length + 1));
    pass.alive();
  }
  return {
    found,
    finished: {
      run_id: run.run_id,
      status: 'succeeded',
      counts: countsOf(run, found, first.foreign),
      ...(await progressOf(parts.db, pass)),
      failure: null,
    },
  };
}

async function failed({ db }: RunParts, execution: Attempt, failure: string): Promise<Ending> {
  return { found: [], finished: { run_id: execution.runId, status: 'failed', counts: {}, ...(await progressOf(db, execution)), failure } };
}

async function discrepancy(
  { db, clock, repair, metrics, logger }: RunParts,
  run: OpenRun,
  finding: Finding,
  number: number,
): Promise<Discrepancy> {
  const seenBefore = await firstSeen(db, run.tenant, finding);
  const proposal = proposedRepair(finding);
  const row = { ...finding, number, first_seen: (seenBefore ?? clock.now()).toISOString(), proposed_repair: proposal };
  if (run.mode === 'report') return { ...row, applied: false, reason: 'report only' };
  if (proposal === null) return { ...row, applied: false, reason: 'not repaired automatically' };
  const request = {
    tenant: run.tenant,
    payment_id: finding.payment_id,
    stripe_payment_intent: finding.object === 'payment' ? finding.stripe_id : null,
    reason: `reconciliation ${run.run_id}: ${finding.class}`,
    actor: 'service:reconciliation',
  };
  try {
    const answer = await repair.lookUp(request);
    return answer.kind === 'asked' ? { ...row, applied: true, reason: null } : { ...row, applied: false, reason: answer.code };
  } catch (err) {
    // What was read stays read, and asking again does no harm.
    metrics.jobError('reconciliation', causeOf(err));
    logger.warn({ event: 'repair_not_asked', run: run.run_id, payment_id: finding.payment_id, err }, 'Payments gave no answer to a repair');
    return { ...row, applied: false, reason: 'payments gave no answer' };
  }
}

/** Every class that was looked for stands there, at 0 when nothing was found. */
function countsOf(run: OpenRun, found: readonly Discrepancy[], foreign: number): Record<string, number> {
  const classes = DISCREPANCY_CLASSES.filter((one) => run.classes === null || run.classes.includes(one));
  const count = (name: DiscrepancyClass) => found.filter((one) => one.class === name).length;
  return { ...Object.fromEntries(classes.map((name) => [name, count(name)])), foreign };
}

async function finish(parts: RunParts, run: OpenRun, began: number, { found, finished }: Ending): Promise<void> {
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
  parts.metrics.finished(finished.status, (performance.now() - began) / 1000, finished.counts);
  const fields = { run: run.run_id, counts: finished.counts, pages: finished.pages, objects: finished.objects };
  if (finished.status === 'succeeded')
    parts.logger.info({ event: 'reconciliation_completed', ...fields }, 'A reconciliation run has read everything');
  else
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

function causeOf(error: unknown): JobError {
  if (error instanceof StripeUnanswered) return 'stripe_unavailable';
  if (error instanceof InboxBehind) return 'inbox_behind';
  if (error instanceof RpcUnavailable || error instanceof RpcTimeout || error instanceof RpcFailed) return 'payments_unavailable';
  return 'internal';
}
