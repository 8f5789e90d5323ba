import type { Clock } from '@tidegate/service-host/clock';
import type { Logger } from '@tidegate/telemetry/logger';
import type { Kysely } from 'kysely';
import type { WebhooksTables } from '../tables.js';
import { eraseEvents, looked, nextDue } from './erasure.store.js';

export interface ErasureParts {
  db: Kysely<WebhooksTables>;
  clock: Clock;
  logger: Logger;
}

const BATCH = 100;
/** Events that were being published when this service was told are not seen yet by the first look. */
const LOOK_AGAIN_MS = 3_600_000;

/** Takes what is about a person out of the stored events of erased customers. One customer at a time; the leader runs it. */
export class Erasure {
  constructor(private readonly parts: ErasureParts) {}

  /** Customers done: one, or none when nobody is due. */
  async runOnce(alive: () => void = () => undefined): Promise<number> {
    const { db, clock, logger } = this.parts;
    const now = clock.now();
    const due = await nextDue(db, now);
    if (!due) return 0;
    for (let last: string | null = ''; last !== null;) {
      last = await eraseEvents(db, due.customer, last, BATCH);
      alive();
    }
    const secondLook = new Date(due.toldAt.getTime() + LOOK_AGAIN_MS);
    await looked(db, due, secondLook > now ? secondLook : null);
    logger.info(
      { event: 'stripe_events_erased', customer: due.customer },
      'What is about a person was taken out of the events of a customer',
    );
    return 1;
  }
}
