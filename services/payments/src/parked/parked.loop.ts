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

/** Hands on what waited for a parent that has arrived, and gives up what has waited for too long. Any replica runs it; a message is taken by one of them. */
export class ParkedNews {
  constructor(private readonly deps: ParkedNewsDeps) {}

  /** One batch; the number of messages that wait no longer. */
  async runOnce(): Promise<number> {
    const givenUp = new Date(this.deps.clock.now().getTime() - GIVEN_UP_MS);
    let settled = 0;
    for (const id of await settleable(this.deps.db, BATCH, givenUp)) if (await this.settle(id, givenUp)) settled += 1;
    return settled;
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
