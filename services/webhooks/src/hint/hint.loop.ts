import type { Failpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import type { Clock } from '@tidegate/service-host/clock';
import type { Logger } from '@tidegate/telemetry/logger';
import type { Kysely } from 'kysely';
import { insertFault } from '../ingest/insert-fault.js';
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
  logger: Logger;
  stripe: Retriever;
  /** The outbox has rows. */
  staged(): void;
  /** Stripe could not be asked about an object. */
  unanswered?(): void;
}

const BATCH = 100;

/**
 * Publishes hints (swept events, thin ones, and those in another version than ours) with the object as Stripe shows it now. Several hints about one object share one request. The object is
 * as old as the start of its fetch. When Stripe cannot be asked the hint waits; it is never dropped. One that cannot be published is marked `failed`,
 * comes again later and holds up no other.
 */
export class Hints {
  constructor(private readonly parts: HintParts) {}

  /** One batch; the number of events that were published. `alive` is called after each object: Stripe may be slow. */
  async runOnce({ stopping, alive }: { stopping?: AbortSignal; alive?: () => void } = {}): Promise<number> {
    let published = 0;
    const due = await dueHints(this.parts.db, BATCH, this.parts.clock.now());
    for (const rows of byObject(due)) {
      if (stopping?.aborted) break;
      published += await this.settleOrSetAside(rows);
      alive?.();
    }
    if (published > 0) this.parts.staged();
    return published;
  }

  private async settleOrSetAside(rows: Unpublished[]): Promise<number> {
    try {
      return await this.settle(rows);
    } catch (err) {
      if (insertFault(err) === 'store') throw err;
      const ids = rows.map((row) => row.stripe_event_id);
      this.parts.logger.error({ event: 'hint_failed', stripe_event_ids: ids, err }, 'A hint could not be published');
      const at = new Date(this.parts.clock.now().getTime() + retryAfterMs(Math.min(...rows.map((row) => row.attempts))));
      const error = err instanceof Error ? err.message : String(err);
      await postpone(this.parts.db, rows, { at, outcome: 'failed', error });
      return 0;
    }
  }

  private async settle(rows: Unpublished[]): Promise<number> {
    const asOf = this.parts.clock.now();
    const retrieved = await retrieve(this.parts.stripe, referenceOf(rows[0]!));
    if (retrieved.kind === 'later') {
      this.parts.unanswered?.();
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
    const reference = readableReference(row);
    const key = reference ? `${reference.kind}/${reference.id}` : row.stripe_event_id;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return [...groups.values()];
}

/** Null too when the payload cannot be read: publishing will say so. */
function readableReference(row: Unpublished): ReturnType<typeof referenceOf> {
  try {
    return referenceOf(row);
  } catch {
    return null;
  }
}
