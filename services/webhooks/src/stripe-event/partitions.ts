import type { Logger } from '@tidegate/telemetry/logger';
import { type Kysely, sql } from 'kysely';
import type { WebhooksTables } from '../tables.js';

const DAY_MS = 86_400_000;
/** Farther from now than this, an event goes to the default partition instead of getting a partition of its own. */
const REACH_DAYS = 62;

/**
 * Monthly partitions of stripe_events, made before a row needs them: this month's and the next one's ahead of time, others when the first
 * event of that month comes. Failing is not an error of the caller's: the default partition takes the rows.
 */
export class Partitions {
  /** First moments of months. */
  private readonly settled = new Set<number>();

  constructor(
    private readonly db: Kysely<WebhooksTables>,
    private readonly logger: Logger,
  ) {}

  /** For the coming weeks. */
  async ensureAhead(now: Date): Promise<void> {
    await this.ensureFor([now, new Date(now.getTime() + 31 * DAY_MS)], now);
  }

  async ensureFor(dates: readonly Date[], now: Date): Promise<void> {
    for (const month of new Set(dates.filter((date) => isNear(date, now)).map(monthOf))) {
      if (!this.settled.has(month)) await this.ensure(month);
    }
  }

  private async ensure(start: number): Promise<void> {
    const month = new Date(start).toISOString().slice(0, 10);
    try {
      const { rows } = await sql<{ made: boolean }>`SELECT ensure_stripe_events_partition(${month}::date) AS made`.execute(this.db);
      this.settled.add(start);
      if (!rows[0]?.made)
        this.logger.warn({ event: 'partition_not_made', month }, 'Rows of this month are in the default partition already');
    } catch (err) {
      this.logger.warn(
        { event: 'partition_not_made', month, err },
        'A partition of stripe_events could not be made; tried again with the next event',
      );
    }
  }
}

const monthOf = (date: Date): number => Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
const isNear = (date: Date, now: Date): boolean => Math.abs(date.getTime() - now.getTime()) <= REACH_DAYS * DAY_MS;
