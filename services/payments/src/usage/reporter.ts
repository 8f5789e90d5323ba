import { type Failpoints } from '@tidegate/database/failpoints';
import { inStatement, inTransaction } from '@tidegate/database/transaction';
import { everyPage } from '@tidegate/stripe-gateway/every-page';
import { type Fleet } from '@tidegate/stripe-gateway/fleet/fleet';
import { lastWord } from '@tidegate/stripe-gateway/last-word';
import { type Formula } from '@tidegate/stripe-gateway/meter';
import { type StripePort } from '@tidegate/stripe-gateway/port';
import { withFailpoints } from '@tidegate/stripe-gateway/with-failpoints';
import { type Logger } from '@tidegate/telemetry/logger';
import { type Kysely } from 'kysely';
import { type PaymentsTables } from '../tables.js';
import { nextRetry } from '../work/schedule.js';
import { agrees, textOf, unitsOf } from './decimal.js';
import { type KnownMeter, Meters } from './meters.js';
import { answered, isTooOld, nextStep, type Report, settledBy, SUMMARY_LAG_MS, type WaitsFor } from './report.decide.js';
import { explanations, observe } from './restored.store.js';
import {
  acquireLanes,
  endReport,
  finishLane,
  isHeld,
  isLeaseRunning,
  keepReport,
  type Lane,
  openReport,
  releaseLane,
  sentOf,
  submit,
  submitAgain,
} from './report.store.js';
import { type UsageMetrics } from './usage.metrics.js';

export interface ReporterDeps {
  db: Kysely<PaymentsTables>;
  stripe: StripePort;
  fleet: Pick<Fleet, 'door'>;
  failpoints: Failpoints;
  clock: { now(): Date };
  logger: Logger;
  metrics: UsageMetrics;
  instance: string;
  reportAfterMs: number;
  random(): number;
}

/** An hour of a customer's usage with the meter that takes it. */
interface Job {
  lane: Lane;
  meter: KnownMeter & { formula: Formula };
}

/** The same when there is no such meter. */
type Ending = Pick<Job, 'lane'> & { meter: Pick<Job['meter'], 'formula'> };

/** How a tenure ended; null: nothing is left, or somebody else has the counter. */
type Left = { dueAt: Date; attempt: number; waitsFor: WaitsFor | null } | null;

/** Also how long usage waits for a pass at most. */
export const REPORT_INTERVAL_MS = 1000;
/** Counters that a process reports at once; the share of usage in the limit lets fewer calls through. */
const AT_ONCE = 8;
/** No call is begun later than this in a tenure, so that the lease outlives it. */
const TENURE_MS = 2_000;
/** A meter that is not there after so many looks may never come: it is looked for hourly then. */
const LOOKS_FOR_METER = 6;
const METER_MS = 3_600_000;

/** Reports usage to Stripe's meters, hour by hour. Any replica runs it; leases share the counters out. */
export class UsageReporter {
  private readonly meters: Meters;
  private passes = 0;

  constructor(private readonly deps: ReporterDeps) {
    this.meters = new Meters({ ...deps, stripe: this.at('payments.usage.meters') });
  }

  /** One pass over counters that are due; answers how many were taken in hand. With the breaker open nothing is: usage stays where it is. */
  async runOnce(): Promise<number> {
    const { db, fleet, instance, clock } = this.deps;
    if (await fleet.door('stripe_usage')) return 0;
    const lanes = await acquireLanes(db, `${instance}#usage${(this.passes += 1)}`, clock.now(), AT_ONCE);
    if (lanes.length === 0) return 0;
    const meters = await this.meters.find([...new Set(lanes.map(({ meter }) => meter))]);
    await Promise.all(lanes.map((lane) => this.tenure(lane, meters.get(lane.meter))));
    return lanes.length;
  }

  /** When it breaks off, the lease runs out by itself, and the next holder takes the open report for unanswered. */
  private async tenure(lane: Lane, meter: KnownMeter | undefined): Promise<void> {
    try {
      const job = meter?.formula ? { lane, meter: { ...meter, formula: meter.formula } } : null;
      const left = await (job ? this.carry(job) : this.withoutMeter(lane));
      if (left) await releaseLane(this.deps.db, lane, left);
    } catch (err) {
      const { customer, meter: name, hour } = lane;
      this.deps.logger.error({ event: 'usage_report_failed', customer, meter: name, hour, err }, 'A report broke off; it goes on in 15 s');
    }
  }

  private async carry(job: Job): Promise<Left> {
    const { db, clock, reportAfterMs } = this.deps;
    const until = performance.now() + TENURE_MS;
    const doubted = await this.settleDoubt(job);
    if (doubted) return doubted;
    for (;;) {
      const open = await openReport(db, job.lane);
      const report = open ?? (await this.submitNew(job));
      if (!report) return null;
      const left = await this.advance(job, report, open === null);
      if (left) return left;
      // The sum of an hour is told once in a while; single events one after the other.
      if (report.event_id !== null && performance.now() < until) continue;
      await finishLane(db, job.lane, job.meter.formula, new Date(clock.now().getTime() + (report.event_id === null ? reportAfterMs : 0)));
      return null;
    }
  }

  /** Usage waits for its meter as long as it can be billed. */
  private async withoutMeter(lane: Lane): Promise<Left> {
    const now = this.deps.clock.now();
    if (!isTooOld(lane.hour, now)) return this.later(lane, 'no_meter', lane.attempt < LOOKS_FOR_METER ? 0 : METER_MS);
    const meter = { formula: await this.meters.formulaOf(lane.meter) };
    const until = performance.now() + TENURE_MS;
    do if (!(await this.expireNext({ lane, meter }))) return null;
    while (performance.now() < until);
    await finishLane(this.deps.db, lane, meter.formula, now);
    return null;
  }

  /** One report that nobody will ever make is given up; false when there is none, and the tenure is over. */
  private async expireNext(ending: Ending): Promise<boolean> {
    const { lane, meter } = ending;
    const now = this.deps.clock.now();
    const given = await inTransaction(this.deps, 'payments.usage.reported', async (tx) => {
      const report = (await openReport(tx, lane)) ?? (await submit(tx, lane, meter.formula, now));
      return report && { report, ended: await endReport(tx, lane, report, 'expired', { formula: meter.formula, now }) };
    });
    if (given?.ended) this.tellEnded(ending, given.report, 'expired');
    return given?.ended === true;
  }

  private submitNew({ lane, meter }: Job): Promise<Report | null> {
    return inTransaction(this.deps, 'payments.usage.submitted', (tx) => submit(tx, lane, meter.formula, this.deps.clock.now()));
  }

  /** One step; null when the report is certain. */
  private async advance(job: Job, report: Report, isFirst: boolean): Promise<Left> {
    const step = nextStep(report, this.deps.clock.now());
    switch (step.kind) {
      case 'send':
        return this.send(job, report, isFirst);
      case 'settle':
        return this.settle(job, report);
      case 'expire':
        return this.end(job, report, 'expired');
      case 'wait':
        return { dueAt: step.until, attempt: job.lane.attempt, waitsFor: 'summary' };
      default:
        return step satisfies never;
    }
  }

  private async send(job: Job, report: Report, isFirst: boolean): Promise<Left> {
    const { db, clock } = this.deps;
    const { lane, meter } = job;
    const { identifier, value } = report;
    const committed =
      isFirst || (await inStatement(this.deps, 'payments.usage.submitted', () => submitAgain(db, lane, report, clock.now())));
    if (!committed) return this.later(lane, null);
    const timestamp = Math.floor(report.at.getTime() / 1000);
    const params = { meter, customer: lane.customer, value, identifier, timestamp };
    // It may wait for its turn and for a connection, or the process may be stopped meanwhile.
    const mayBeSent = () => isLeaseRunning(db, lane).catch(() => false);
    const outcome = await lastWord.run(mayBeSent, () => this.at('payments.usage.report').createMeterEvent(params));
    const next = answered(outcome, { wasUncertain: report.uncertain_since !== null, byEvent: report.event_id !== null });
    if (next.kind === 'delivered' || next.kind === 'expired') return this.end(job, report, next.kind);
    await inStatement(this.deps, 'payments.usage.reported', () => keepReport(db, lane, report, next));
    if (next.kind === 'settling') return { dueAt: new Date(clock.now().getTime() + SUMMARY_LAG_MS), attempt: 0, waitsFor: 'summary' };
    if (next.waitsFor === 'answer_missing') this.deps.metrics.reported('unanswered');
    if (next.waitsFor === 'refused') this.deps.metrics.reported('refused');
    return this.later(lane, next.waitsFor, next.retryAfterMs);
  }

  /** Asks Stripe what it counts in the hour, because the identifier of a call without an answer protects no longer. */
  private async settle(job: Job, report: Report): Promise<Left> {
    const { db, clock, logger, metrics } = this.deps;
    const { lane, meter } = job;
    const summary = await this.summaryOf(job);
    if (summary === 'never') return this.end(job, report, 'expired');
    if ('dueAt' in summary) return summary;
    const { counted } = summary;
    const sent = await sentOf(db, lane);
    const verdict = settledBy({ sent, value: report.value, formula: meter.formula }, counted);
    const told = {
      customer: lane.customer,
      meter: lane.meter,
      hour: lane.hour,
      identifier: report.identifier,
      sent,
      value: report.value,
      counted,
    };
    if (verdict !== 'neither') {
      logger.info({ event: 'usage_report_settled', verdict, ...told }, 'A summary of Stripe settled a report without an answer');
      metrics.reported(verdict === 'delivered' ? 'settled_delivered' : 'settled_absent');
      return this.end(job, report, verdict);
    }
    logger.warn(
      { event: 'usage_mismatch', ...told },
      'Stripe counts neither what was sent nor what was certain before; it is not sent again',
    );
    metrics.reported('unsettled');
    await inStatement(this.deps, 'payments.usage.reported', () => keepReport(db, lane, report, { kind: 'settling' }));
    return { dueAt: new Date(clock.now().getTime() + SUMMARY_LAG_MS), attempt: lane.attempt + 1, waitsFor: 'disagreement' };
  }

  /**
   * After a restore: what Stripe says that it has of the hour is what it has, before anything is sent. Where the latest counts nothing is in doubt: it stays what it is
   * when it is sent twice.
   */
  private async settleDoubt(job: Job): Promise<Left> {
    const { db, clock, logger } = this.deps;
    const { lane, meter } = job;
    const restoredAt = lane.doubted_since;
    if (restoredAt === null || meter.formula === 'last') return null;
    const readable = new Date(restoredAt.getTime() + SUMMARY_LAG_MS);
    if (readable > clock.now()) return { dueAt: readable, attempt: lane.attempt, waitsFor: 'summary' };
    const summary = await this.summaryOf(job);
    if (summary === 'never') return null;
    if ('dueAt' in summary) return summary;
    const { counted } = summary;
    // Stripe sums in binary: what a decimal of ours explains is that.
    const explained = (await explanations(db, lane)).find((decimal) => agrees(unitsOf(decimal), counted));
    const remote = explained ?? textOf(unitsOf(counted.toFixed(12)));
    const settled = await inTransaction(this.deps, 'payments.usage.reported', async (tx) => {
      const isOurs = await isHeld(tx, lane);
      if (isOurs) await observe(tx, lane, { remote, now: clock.now(), restoredAt });
      return isOurs;
    });
    if (!settled) return this.later(lane, null);
    const { customer, hour } = lane;
    logger.info(
      { event: 'usage_restored', customer, meter: lane.meter, hour, counted },
      'What Stripe counts of an hour is what it has: the restore may have lost reports',
    );
    return null;
  }

  /**
   * What Stripe counts in the hour; or when to ask again. `never`: with a customer Stripe deletes what would tell, and of the hour nothing can be billed any more,
   * whatever became of its reports.
   */
  private async summaryOf({ lane, meter }: Job): Promise<{ counted: number } | 'never' | Exclude<Left, null>> {
    const start = lane.hour.getTime() / 1000;
    const stripe = this.at('payments.usage.summary');
    const query = { customer: lane.customer, start, end: start + 3600 };
    const summaries = await everyPage((page) => stripe.listMeterSummaries(meter.stripe_meter, page), query);
    const isUnknown = summaries.kind === 'rejected' || summaries.kind === 'not_found';
    if (isUnknown && isTooOld(lane.hour, this.deps.clock.now())) return 'never';
    if (summaries.kind !== 'ok') return this.later(lane, 'summary', 'retryAfterMs' in summaries ? summaries.retryAfterMs : 0);
    return { counted: summaries.value.reduce((sum, { value }) => sum + value, 0) };
  }

  private async end({ lane, meter }: Job, report: Report, state: 'delivered' | 'absent' | 'expired'): Promise<null> {
    const { db, clock } = this.deps;
    const as = { formula: meter.formula, now: clock.now() };
    const ended = await inStatement(this.deps, 'payments.usage.reported', () => endReport(db, lane, report, state, as));
    if (ended) this.tellEnded({ lane, meter }, report, state);
    return null;
  }

  private tellEnded({ lane }: Ending, report: Report, state: 'delivered' | 'absent' | 'expired'): void {
    if (state !== 'absent') this.deps.metrics.reported(state);
    if (state !== 'expired') return;
    const { customer, meter, hour } = lane;
    this.deps.logger.error({ event: 'usage_expired', customer, meter, hour, value: report.value }, 'Usage is too old to be billed');
  }

  private later(lane: Lane, waitsFor: WaitsFor | null, retryAfterMs = 0): Exclude<Left, null> {
    const isTurnedAway = waitsFor === 'breaker_open' || waitsFor === 'rate_limited';
    const dueAt = nextRetry(this.deps.clock.now(), isTurnedAway ? 0 : lane.attempt, retryAfterMs, this.deps.random());
    return { dueAt, attempt: lane.attempt + (isTurnedAway ? 0 : 1), waitsFor };
  }

  private at(name: string): StripePort {
    return withFailpoints(this.deps.stripe, this.deps.failpoints, name);
  }
}
