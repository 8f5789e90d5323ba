import type { Failpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import type { Clock } from '@tidegate/service-host/clock';
import type { Logger } from '@tidegate/telemetry/logger';
import type { Kysely } from 'kysely';
import { insertFault } from '../ingest/insert-fault.js';
import { type CustomerTenant, knownCustomers } from '../normalize/customer-tenants.store.js';
import { normalizedEvent, referenceOf, type Shown } from '../normalize/normalized-event.decide.js';
import { publish } from '../normalize/publish.js';
import { retryAfterMs } from '../normalize/retry.decide.js';
import { namedTenant } from '../normalize/tenant.decide.js';
import { claimKeys, dueHints, lastShownAt, postpone, type Unpublished } from '../stripe-event/stripe-event.store.js';
import type { WebhooksTables } from '../tables.js';
import { atOnce } from './at-once.js';
import { askCustomer } from './customer.ask.js';
import { type Later, retrieve, type Retriever } from './retrieve.js';

export interface HintParts {
  db: Kysely<WebhooksTables>;
  failpoints: Failpoints;
  clock: Clock;
  logger: Logger;
  stripe: Retriever;
  /** STRIPE_ACCOUNT_TENANTS. */
  accountTenants: ReadonlyMap<string, string>;
  /** The outbox has rows. */
  staged(): void;
  /** Stripe could not be asked about an object. */
  unanswered?(): void;
}

export interface Pass {
  stopping?: AbortSignal;
  alive?: () => void;
}

/** Hints that choose the objects of one pass; all others about the same objects come with them. */
const BATCH = 200;
/** Objects that are asked for at the same time; the fleet's limiter says how fast. */
export const AT_ONCE = 10;

/**
 * Publishes hints with their object as Stripe shows it now, at the pinned API version. All hints about one object that are stored by then share one request;
 * the object is as old as the start of it, and younger than what was published of it by then, on whatever clock that was: so of two requests the later one counts,
 * whichever is published first. When Stripe cannot be asked the hints wait; none is ever dropped. One that cannot be published is marked `failed`, comes again later and holds up no other.
 */
export class Hints {
  constructor(private readonly parts: HintParts) {}

  /** One batch; the number of events that were published. `alive` is called after each object: Stripe may be slow. */
  async runOnce({ stopping, alive }: Pass = {}): Promise<number> {
    let published = 0;
    const due = await dueHints(this.parts.db, BATCH, this.parts.clock.now());
    await atOnce(AT_ONCE, byObject(due), async (rows) => {
      if (stopping?.aborted) return;
      published += await this.settleOrSetAside(rows);
      alive?.();
    });
    if (published > 0) this.parts.staged();
    return published;
  }

  private async settleOrSetAside(rows: Unpublished[]): Promise<number> {
    try {
      return await this.settle(rows);
    } catch (err) {
      if (insertFault(err) === 'store') throw err;
      if (rows.length > 1) return this.oneByOne(rows);
      const ids = rows.map((row) => row.stripe_event_id);
      this.parts.logger.error({ event: 'hint_failed', stripe_event_ids: ids, err }, 'A hint could not be published');
      const error = err instanceof Error ? err.message : String(err);
      await this.again(rows, { outcome: 'failed', error, atLeastMs: 0 });
      return 0;
    }
  }

  /** One of them is at fault. */
  private async oneByOne(rows: readonly Unpublished[]): Promise<number> {
    let published = 0;
    for (const row of rows) published += await this.settleOrSetAside([row]);
    return published;
  }

  private async settle(rows: readonly Unpublished[]): Promise<number> {
    const [first] = rows;
    if (!first) return 0;
    const asOf = await this.startOf(first);
    const retrieved = await retrieve(this.parts.stripe, referenceOf(first));
    if (retrieved.kind === 'later') return this.later(rows, retrieved);
    const shown = { object: retrieved.kind === 'object' ? retrieved.object : null };
    const customer = await this.customerOf(first, shown);
    if (customer.kind === 'later') return this.later(rows, customer);
    return inTransaction(this.parts, 'webhooks.hint.stage', async (tx) => {
      const claimed = await claimKeys(tx, rows);
      const items = claimed.map((row) => ({ row, shown: { ...shown, asOf } }));
      return publish(tx, items, { now: asOf, accountTenants: this.parts.accountTenants, learned: customer.learned });
    });
  }

  private async startOf({ object_id }: Unpublished): Promise<Date> {
    const last = await lastShownAt(this.parts.db, object_id);
    return new Date(Math.max(this.parts.clock.now().getTime(), last === null ? 0 : last.getTime() + 1));
  }

  /** Whose the object's customer is, if that is needed to publish its events and not known yet. */
  private async customerOf(row: Unpublished, shown: Shown): Promise<{ kind: 'known'; learned: CustomerTenant[] } | Later> {
    const { object } = normalizedEvent(row, shown);
    const nothing = { kind: 'known' as const, learned: [] };
    if (object.customer === null || object.object === 'customer' || namedTenant(object.metadata) !== null) return nothing;
    if ((await knownCustomers(this.parts.db, [object.customer])).has(object.customer)) return nothing;
    const asked = await askCustomer(this.parts.stripe, object.customer);
    return asked.kind === 'later' ? asked : { kind: 'known', learned: [asked.said] };
  }

  private async later(rows: readonly Unpublished[], { reason, retryAfterMs: atLeastMs }: Later): Promise<number> {
    this.parts.unanswered?.();
    await this.again(rows, { outcome: 'received', error: reason, atLeastMs: atLeastMs ?? 0 });
    return 0;
  }

  private async again(
    rows: readonly Unpublished[],
    { outcome, error, atLeastMs }: { outcome: 'received' | 'failed'; error: string; atLeastMs: number },
  ): Promise<void> {
    const pause = Math.max(atLeastMs, retryAfterMs(Math.min(...rows.map((row) => row.attempts))));
    await postpone(this.parts.db, rows, { at: new Date(this.parts.clock.now().getTime() + pause), outcome, error });
  }
}

function byObject(rows: readonly Unpublished[]): Unpublished[][] {
  const groups = new Map<string, Unpublished[]>();
  for (const row of rows) groups.set(row.object_id ?? '', [...(groups.get(row.object_id ?? '') ?? []), row]);
  return [...groups.values()];
}
