import { type WindowReport } from '@tidegate/contracts/responses';
import { type Logger } from '@tidegate/telemetry/logger';
import { type Kysely, sql } from 'kysely';
import { type PaymentsTables } from '../tables.js';
import { acquire, type Held, wishRefresh } from '../work/work.store.js';

export interface WindowSweepDeps {
  db: Kysely<PaymentsTables>;
  clock: { now(): Date };
  logger: Logger;
  instance: string;
  /** One tenure of a checkout's lease; does not throw. */
  carryOne(held: Held): Promise<void>;
  onWork(): void;
}

/** At least every 5 minutes is promised; a checkout that stands in the schedule is closed within a second of its time anyway. */
export const SWEEP_INTERVAL_MS = 60_000;
/** One look takes so many. */
export const MOST = 500;
const AT_ONCE = 5;

interface Overdue {
  id: string;
  window_ends_at: Date;
}

/**
 * Closes the pages of checkouts whose window is over, whatever became of their place in the schedule: it goes by the windows themselves. Stripe is asked to
 * close, and believed: a page that was paid is complete.
 */
export class WindowSweep {
  private passes = 0;

  constructor(private readonly deps: WindowSweepDeps) {}

  /** Puts every overdue checkout that nothing is planned for back into the schedule; answers how many. */
  async runOnce(): Promise<number> {
    const { db, clock } = this.deps;
    const now = clock.now();
    await this.lookAtRefunded(now);
    const { rows } = await sql<{ id: string }>`
      SELECT id FROM checkouts WHERE status = 'open' AND window_ends_at <= ${now}
        AND NOT EXISTS (SELECT 1 FROM payment_work w WHERE w.payment_id = checkouts.id AND (w.holder IS NOT NULL OR w.due_at <= ${now}::timestamptz + interval '5 minutes'))
      ORDER BY window_ends_at LIMIT ${MOST}`.execute(db);
    for (const { id } of rows) await wishRefresh(db, id, now);
    if (rows.length > 0) {
      this.deps.logger.warn(
        { event: 'payment_window_overdue', count: rows.length },
        'Windows are over that nothing was planned for; they are closed now',
      );
      this.deps.onWork();
    }
    return rows.length;
  }

  /** Late successes that were given back, as far as is noted, and whose money is here all the same: such a refund can fail days later. */
  private async lookAtRefunded(now: Date): Promise<void> {
    const { rows } = await sql<{ id: string }>`
      SELECT c.id FROM checkouts c JOIN payments p ON p.id = c.payment_id
      WHERE c.late_success = 'refunded' AND c.created_at > ${now}::timestamptz - interval '90 days' AND p.status = 'succeeded' AND p.amount_refunded < p.amount_captured
        AND NOT EXISTS (SELECT 1 FROM payment_work w WHERE w.payment_id = c.id)
      LIMIT ${MOST}`.execute(this.deps.db);
    for (const { id } of rows) await wishRefresh(this.deps.db, id, now);
    if (rows.length > 0) this.deps.onWork();
  }

  /** Closes what is overdue now, and tells what came of it. A person waits for this. */
  async reconcile(deadline: number): Promise<WindowReport> {
    const { db, clock } = this.deps;
    const overdue = await this.overdue();
    const waiting = overdue.slice(0, MOST);
    const ids = waiting.map((one) => one.id);
    const queue = [...ids];
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (let id = queue.shift(); id !== undefined && Date.now() < deadline; id = queue.shift()) await this.closeNow(id);
      }),
    );
    const after =
      ids.length === 0 ? [] : await db.selectFrom('checkouts').select(['id', 'status', 'window_ends_at']).where('id', 'in', ids).execute();
    const now = clock.now();
    const withStatus = (status: string) => after.filter((one) => one.status === status).map((one) => one.id);
    const first = waiting[0]?.window_ends_at;
    return {
      object: 'payment_window_report',
      overdue: ids.length,
      expired: withStatus('expired'),
      complete: withStatus('complete'),
      unresolved: after.filter((one) => one.status === 'open' && one.window_ends_at <= now).map((one) => one.id),
      oldest_overdue_seconds: first ? Math.floor((now.getTime() - first.getTime()) / 1000) : 0,
      has_more: overdue.length > MOST,
    };
  }

  private async overdue(): Promise<Overdue[]> {
    return this.deps.db
      .selectFrom('checkouts')
      .select(['id', 'window_ends_at'])
      .where('status', '=', 'open')
      .where('window_ends_at', '<=', this.deps.clock.now())
      .orderBy('window_ends_at')
      .limit(MOST + 1)
      .execute();
  }

  /** What somebody else has in hand is left to him. */
  private async closeNow(id: string): Promise<void> {
    const { db, clock, instance } = this.deps;
    await wishRefresh(db, id, clock.now());
    const held = await acquire(db, id, `${instance}#sweep${(this.passes += 1)}`, clock.now());
    if (held) await this.deps.carryOne(held);
  }
}
