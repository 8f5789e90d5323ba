import type { Clock } from '@tidegate/service-host/clock';
import type { Logger } from '@tidegate/telemetry/logger';
import type { Kysely } from 'kysely';
import type { WebhooksTables } from '../tables.js';
import { deleteNotes, deleteStrays, dropMonth, type Month, months } from './retention.store.js';

export interface RetentionParts {
  db: Kysely<WebhooksTables>;
  clock: Clock;
  logger: Logger;
  /** RETENTION_STRIPE_EVENTS. */
  keepSeconds: number;
  /** A month was dropped. */
  dropped(): void;
}

const STRAYS = 1000;
const SAY_AGAIN_MS = 3_600_000;
const LOCK_NOT_AVAILABLE = '55P03';

/**
 * Drops whole months of events, with their outcomes, once the last of them is older than the retention. A month with events that were never published stays, and
 * says so each hour: they are promised to take effect. Rows outside of any month (a clock far off) are deleted one by one. The leader runs it.
 */
export class Retention {
  private readonly saidAt = new Map<string, number>();

  constructor(private readonly parts: RetentionParts) {}

  /** Months dropped, strays and notes deleted; more than 0: there may be more. */
  async runOnce(): Promise<number> {
    const { db, clock, keepSeconds } = this.parts;
    const before = new Date(clock.now().getTime() - keepSeconds * 1000);
    let done = 0;
    for (const month of await months(db)) {
      if (month.endsAt > before) break;
      if (month.holdsUnpublished) this.sayHeld(month);
      else if (await this.drop(month)) done += 1;
    }
    return done + (await deleteStrays(db, before, STRAYS)) + (await deleteNotes(db, STRAYS));
  }

  private async drop(month: Month): Promise<boolean> {
    const startedAt = performance.now();
    try {
      if (!(await dropMonth(this.parts.db, month))) return false;
    } catch (err) {
      if ((err as { code?: string }).code !== LOCK_NOT_AVAILABLE) throw err;
      this.parts.logger.warn(
        { event: 'partition_in_use', month: month.name },
        'A month of events could not be dropped yet: a query reads it',
      );
      return false;
    }
    this.parts.dropped();
    this.parts.logger.info(
      { event: 'partition_dropped', month: month.name, ended_at: month.endsAt, took_ms: Math.round(performance.now() - startedAt) },
      'A month of events is older than the retention and was dropped',
    );
    return true;
  }

  private sayHeld({ name }: Month): void {
    const now = performance.now();
    if (now - (this.saidAt.get(name) ?? -Infinity) < SAY_AGAIN_MS) return;
    this.saidAt.set(name, now);
    this.parts.logger.error(
      { event: 'partition_held', month: name },
      'A month of events is older than the retention and stays: some of its events were never published',
    );
  }
}
