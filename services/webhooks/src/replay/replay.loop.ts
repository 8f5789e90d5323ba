import type { Failpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import type { Clock } from '@tidegate/service-host/clock';
import type { Logger } from '@tidegate/telemetry/logger';
import type { Kysely } from 'kysely';
import type { WebhooksTables } from '../tables.js';
import {
  advanceReplay,
  lookForReplays,
  ordererOf,
  type ReplayJob,
  runningReplay,
  setReplayStatus,
  takeEvents,
  waitingForReplay,
} from './replay.store.js';

export interface ReplayParts {
  db: Kysely<WebhooksTables>;
  failpoints: Failpoints;
  clock: Clock;
  logger: Logger;
  /** These wait to be published again. */
  taken(events: number): void;
}

/** Taken together, and published before more are taken: a replay of a million must not stand before what Stripe delivers now. */
const BATCH = 200;

/**
 * Carries out the replays that were ordered, tenants in turn and each tenant's one after the other: takes the next events, a batch in each transaction, and leaves
 * publishing them to the loops that publish all others. Whatever dies, the cursor of a replay tells which events it has taken. The leader runs it.
 */
export class Replay {
  /** Whose turn it was. Who leads next begins anew, which costs nobody more than a turn. */
  private last = '';

  constructor(private readonly parts: ReplayParts) {}

  /** Takes one batch, if the one before is published; the number of events taken, or 1 when a replay came to its end. */
  async runOnce({ epoch }: { epoch: number | null }): Promise<number> {
    const { db } = this.parts;
    const { running, waiting } = await lookForReplays(db);
    if (!running || waiting >= BATCH) return 0;
    const step = await inTransaction(this.parts, 'webhooks.replay.take', async (tx) => {
      const job = await runningReplay(tx, epoch ?? 0, this.last);
      if (!job) return null;
      // Whatever becomes of it: what cannot be taken for one keeps no other waiting.
      this.last = ordererOf(job);
      const events = await takeEvents(tx, job, BATCH);
      await advanceReplay(tx, job, events, epoch ?? 0);
      return { job, taken: events.length };
    });
    if (!step) return 0;
    if (step.taken > 0) this.parts.taken(step.taken);
    return step.taken > 0 ? step.taken : this.finish(step.job);
  }

  /** Nothing is left to take; it is complete once the last event is published. */
  private async finish(job: ReplayJob): Promise<number> {
    const { db, clock, logger } = this.parts;
    if ((await waitingForReplay(db, job.id)) > 0) return 0;
    const finishedAt = clock.now();
    if (!(await db.transaction().execute((tx) => setReplayStatus(tx, job.id, { from: 'running', to: 'completed', finishedAt })))) return 0;
    logger.info(
      { event: 'webhook_replay_completed', job: job.id, events: job.taken },
      'A replay is complete: all its events are published',
    );
    return 1;
  }
}
