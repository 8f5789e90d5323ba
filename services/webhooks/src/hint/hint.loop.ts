import type { Failpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import type { Clock } from '@tidegate/service-host/clock';
import type { Kysely } from 'kysely';
import { referenceOf } from '../normalize/normalized-event.decide.js';
import { publish } from '../normalize/publish.js';
import { retryAfterMs } from '../normalize/retry.decide.js';
import { claimKeys, dueHints, postpone, type Unpublished } from '../stripe-event/stripe-event.store.js';
import type { WebhooksTables } from '../tables.js';
import { retrieve, type Retrieved, type Retriever } from './retrieve.js';

export interface HintParts {
  db: Kysely<WebhooksTables>;
  failpoints: Failpoints;
  clock: Clock;
  stripe: Retriever;
  /** The outbox has rows. */
  staged(): void;
}

const BATCH = 100;

/**
 * Publishes hints (swept and thin events) with the object as Stripe shows it now. Several hints about one object share one request. The object is
 * as old as the start of its fetch. When Stripe cannot be asked the hint waits; it is never dropped.
 */
export class Hints {
  constructor(private readonly parts: HintParts) {}

  /** One batch; the number of events that were published. */
  async runOnce(stopping?: AbortSignal): Promise<number> {
    let published = 0;
    const due = await dueHints(this.parts.db, BATCH, this.parts.clock.now());
    for (const rows of byObject(due)) {
      if (stopping?.aborted) break;
      published += await this.settle(rows);
    }
    if (published > 0) this.parts.staged();
    return published;
  }

  private async settle(rows: Unpublished[]): Promise<number> {
    const asOf = this.parts.clock.now();
    const retrieved = await retrieve(this.parts.stripe, referenceOf(rows[0]!));
    if (retrieved.kind === 'later') {
      await this.postpone(rows, asOf, retrieved);
      return 0;
    }
    return inTransaction(this.parts, 'webhooks.hint.stage', async (tx) => {
      const claimed = await claimKeys(tx, rows);
      const shown = retrieved.kind === 'object' ? { object: retrieved.object, asOf } : null;
      await publish(
        tx,
        claimed.map((row) => ({ row, retrieved: shown })),
        asOf,
      );
      return claimed.length;
    });
  }

  private async postpone(rows: Unpublished[], now: Date, later: Extract<Retrieved, { kind: 'later' }>): Promise<void> {
    const pause = Math.max(later.retryAfterMs ?? 0, retryAfterMs(Math.min(...rows.map((row) => row.attempts))));
    await postpone(this.parts.db, rows, { at: new Date(now.getTime() + pause), outcome: 'received', error: later.reason });
  }
}

function byObject(rows: readonly Unpublished[]): Unpublished[][] {
  const groups = new Map<string, Unpublished[]>();
  for (const row of rows) {
    const reference = referenceOf(row);
    const key = reference ? `${reference.kind}/${reference.id}` : row.stripe_event_id;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()];
}
