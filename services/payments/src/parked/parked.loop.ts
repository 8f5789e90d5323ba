import { type Failpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import { type Incoming } from '@tidegate/messaging/incoming';
import { type Metrics } from '@tidegate/telemetry/metrics';
import { type Kysely, type Transaction } from 'kysely';
import { type PaymentsTables } from '../tables.js';
import { parkedCount, settleable, take } from './parked.store.js';

export interface ParkedNewsDeps {
  db: Kysely<PaymentsTables>;
  failpoints: Failpoints;
  clock: { now(): Date };
  /** Of the consumer that parked the messages. */
  again: {
    handle(tx: Transaction<PaymentsTables>, message: Incoming, prepared: null): Promise<void>;
    disown(tx: Transaction<PaymentsTables>, message: Incoming): Promise<void>;
    afterCommit(message: Incoming): void;
  };
}

/** Also how long a parent's news wait at most after its arrival, and the time of one pass. */
export const PARKED_INTERVAL_MS = 1000;

/** For as long Stripe would go on delivering an event that nobody takes: https://docs.stripe.com/webhooks#automatic-retries */
const GIVEN_UP_MS = 3 * 86_400_000;
const BATCH = 100;
const AGAIN_MS = 5000;

/**
 * Hands on what waited for a parent that has arrived, and gives up what has waited for too long. Any replica runs it; a message is taken by one of them. One that
 * cannot be handled holds up no other.
 */
export class ParkedNews {
  /** What failed lately, and when it may be tried again (monotonic, in milliseconds). */
  private readonly failed = new Map<string, number>();

  constructor(private readonly deps: ParkedNewsDeps) {}

  /** One batch; the number of messages that wait no longer. Throws at the first that fails; the next pass goes on without it. */
  async runOnce(): Promise<number> {
    const givenUp = new Date(this.deps.clock.now().getTime() - GIVEN_UP_MS);
    for (const [id, againAt] of this.failed) if (againAt <= performance.now()) this.failed.delete(id);
    const ids = await settleable(this.deps.db, { limit: BATCH, givenUp, without: [...this.failed.keys()] });
    let settled = 0;
    for (const id of ids) if (await this.settleOrPutOff(id, givenUp)) settled += 1;
    return settled;
  }

  private async settleOrPutOff(messageId: string, givenUp: Date): Promise<boolean> {
    try {
      return await this.settle(messageId, givenUp);
    } catch (cause) {
      this.failed.set(messageId, performance.now() + AGAIN_MS);
      throw new Error(`The parked message ${messageId} could not be applied`, { cause });
    }
  }

  private async settle(messageId: string, givenUp: Date): Promise<boolean> {
    const { again } = this.deps;
    const message = await inTransaction(this.deps, 'payments.parked.settle', async (tx) => {
      const taken = await take(tx, messageId);
      if (!taken) return null;
      if (taken.parkedAt <= givenUp) await again.disown(tx, taken.message);
      else await again.handle(tx, taken.message, null);
      return taken.message;
    });
    if (message) again.afterCommit(message);
    return message !== null;
  }
}

/** `payments_parked_events`, read from the table, so that every replica tells the same. */
export function registerParkedMetric(metrics: Metrics, db: Kysely<PaymentsTables>): void {
  metrics.gauge('payments_parked_events', "Stripe's events that wait for the checkout that they are about.", {}, async (gauge) =>
    gauge.set(await parkedCount(db)),
  );
}
