import type { Failpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import type { Clock } from '@tidegate/service-host/clock';
import type { Logger } from '@tidegate/telemetry/logger';
import type { Kysely, Transaction } from 'kysely';
import { insertFault } from '../ingest/insert-fault.js';
import {
  anyDelivery,
  claimDeliveries,
  claimKeys,
  dueDeliveries,
  type EventKey,
  postpone,
  type Unpublished,
} from '../stripe-event/stripe-event.store.js';
import type { WebhooksTables } from '../tables.js';
import { publish } from './publish.js';
import { retryAfterMs } from './retry.decide.js';

export interface NormalizeParts {
  db: Kysely<WebhooksTables>;
  failpoints: Failpoints;
  clock: Clock;
  logger: Logger;
  /** STRIPE_ACCOUNT_TENANTS. */
  accountTenants: ReadonlyMap<string, string>;
  /** The outbox has rows: the relay need not wait for its poll. */
  staged(): void;
}

/** Most events of one pass. */
export const BATCH = 200;
const STAGE = 'webhooks.normalize.stage';

/**
 * Publishes stored deliveries in order of arrival, but for hints, and for those that wait for a customer. Every replica runs it: rows are claimed with SKIP LOCKED, so none is done twice and a dead
 * replica holds nothing up. When a batch fails for another reason than an absent database, its rows are tried one by one; the one that fails
 * alone is marked `failed` and comes again later, and never blocks the others.
 */
export class Normalize {
  constructor(private readonly parts: NormalizeParts) {}

  /** Publishes what waits, at most one batch; the number of events done. */
  async runOnce(): Promise<number> {
    try {
      return await this.publishBatch();
    } catch (error) {
      if (insertFault(error) === 'store') throw error;
      this.parts.logger.warn({ event: 'normalize_batch_failed', err: error }, 'A batch of events could not be published together');
      return this.publishOneByOne();
    }
  }

  private async publishBatch(): Promise<number> {
    const now = this.parts.clock.now();
    if (!(await anyDelivery(this.parts.db, now))) return 0;
    const published = await inTransaction(this.parts, STAGE, async (tx) => {
      const rows = await claimDeliveries(tx, BATCH, now);
      await this.publish(tx, rows, now);
      return rows.length;
    });
    if (published > 0) this.parts.staged();
    return published;
  }

  private publish(tx: Transaction<WebhooksTables>, rows: readonly Unpublished[], now: Date): Promise<number> {
    const { accountTenants } = this.parts;
    return publish(
      tx,
      rows.map((row) => ({ row, shown: null })),
      { now, accountTenants },
    );
  }

  private async publishOneByOne(): Promise<number> {
    const rows = await dueDeliveries(this.parts.db, BATCH, this.parts.clock.now());
    for (const key of rows) await this.publishOne(key);
    this.parts.staged();
    return rows.length;
  }

  private async publishOne(key: EventKey & { attempts: number }): Promise<void> {
    const now = this.parts.clock.now();
    try {
      await inTransaction(this.parts, STAGE, async (tx) => {
        await this.publish(tx, await claimKeys(tx, [key]), now);
      });
    } catch (err) {
      if (insertFault(err) === 'store') throw err;
      this.parts.logger.error({ event: 'normalize_failed', stripe_event_id: key.stripe_event_id, err }, 'An event could not be published');
      const error = err instanceof Error ? err.message : String(err);
      await postpone(this.parts.db, [key], { at: new Date(now.getTime() + retryAfterMs(key.attempts)), outcome: 'failed', error });
    }
  }
}
