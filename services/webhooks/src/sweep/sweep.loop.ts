import type { Failpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import type { Clock } from '@tidegate/service-host/clock';
import type { StripeEvent } from '@tidegate/stripe-gateway/intent';
import type { StripePort } from '@tidegate/stripe-gateway/port';
import type { Logger } from '@tidegate/telemetry/logger';
import type { Kysely } from 'kysely';
import { objectIdOf, objectKindOf, tenantHintOf } from '../ingest/event-body.decide.js';
import type { Arrived } from '../normalize/hint.decide.js';
import type { Partitions } from '../stripe-event/partitions.js';
import { insertEvents, type NewStripeEvent } from '../stripe-event/stripe-event.store.js';
import type { WebhooksTables } from '../tables.js';
import { advanceCursor, readCursor } from './sweep.store.js';
import { type SweepWindow, sweepWindows } from './window.decide.js';

export interface SweepSettings {
  everySeconds: number;
  overlapSeconds: number;
  /** Younger events are left to their delivery. */
  settleSeconds: number;
}

export interface SweepParts {
  db: Kysely<WebhooksTables>;
  failpoints: Failpoints;
  clock: Clock;
  logger: Logger;
  stripe: Pick<StripePort, 'listEvents'>;
  partitions: Pick<Partitions, 'ensureFor' | 'ensureAhead'>;
  settings: SweepSettings;
  /** Whether the object of an event has to be retrieved before it is published. */
  isHint(event: Arrived): boolean;
  /** Rows were found that were never delivered. */
  found(events: number): void;
  /** Stripe's list could not be read to the end. */
  unanswered?(): void;
}

/** Stripe could not be read to the end; the cursor stays where it was. */
export class SweepIncomplete extends Error {}

interface Pass {
  stopping?: AbortSignal;
  alive?: () => void;
}

const CHUNK_SECONDS = 3600;

/** Reads Stripe's list of events, so that a delivery that never comes costs one interval. The leader runs it. */
export class Sweep {
  constructor(private readonly parts: SweepParts) {}

  /** Sweeps if one is due; the number of events that had been missed. Throws SweepIncomplete when Stripe does not answer. `alive` after each page. */
  async runOnce({ epoch, ...pass }: { epoch: number | null } & Pass): Promise<number> {
    const { settings, clock, db } = this.parts;
    const now = clock.now();
    const cursor = await readCursor(db, now);
    if (now.getTime() - cursor.sweptAt.getTime() < settings.everySeconds * 1000) return 0;
    await this.parts.partitions.ensureAhead(now);
    const until = new Date(now.getTime() - settings.settleSeconds * 1000);
    const windows = sweepWindows({
      sweptUntil: cursor.sweptUntil,
      now: until,
      overlapSeconds: settings.overlapSeconds,
      chunkSeconds: CHUNK_SECONDS,
    });
    let found = 0;
    for (const window of windows) {
      found += await this.sweep(window, pass);
      const last = window === windows.at(-1);
      const sweptUntil = last ? until : new Date(window.lt * 1000);
      const advanced = await inTransaction(this.parts, 'webhooks.sweep.advance', (tx) =>
        advanceCursor(tx, { sweptUntil, sweptAt: last ? now : cursor.sweptAt }, epoch ?? 0),
      );
      if (!advanced) break;
    }
    if (found > 0) this.parts.found(found);
    this.parts.logger.info(
      { event: 'webhook_sweep_completed', windows: windows.length, missed: found },
      "Stripe's list of events was read",
    );
    return found;
  }

  private async sweep(window: SweepWindow, { stopping, alive }: Pass): Promise<number> {
    let found = 0;
    for (let after: string | undefined; ;) {
      stopping?.throwIfAborted();
      const page = await this.parts.stripe.listEvents({
        created: window,
        limit: 100,
        ...(after === undefined ? {} : { starting_after: after }),
      });
      if (page.kind !== 'ok') {
        this.parts.unanswered?.();
        throw new SweepIncomplete(`Stripe's list of events could not be read: ${page.kind}`);
      }
      found += await this.store(page.value.data);
      alive?.();
      after = page.value.data.at(-1)?.id;
      if (!page.value.has_more || after === undefined) return found;
    }
  }

  private async store(events: readonly StripeEvent[]): Promise<number> {
    if (events.length === 0) return 0;
    const rows = events
      .map((event) => sweptRow(event, this.parts.isHint))
      .sort((a, b) => a.created.getTime() - b.created.getTime() || (a.stripe_event_id < b.stripe_event_id ? -1 : 1));
    await this.parts.partitions.ensureFor(
      rows.map((row) => row.created),
      this.parts.clock.now(),
    );
    const fresh = await inTransaction(this.parts, 'webhooks.sweep.insert', (tx) => insertEvents(tx, rows));
    return fresh.size;
  }
}

function sweptRow(event: StripeEvent, isHint: SweepParts['isHint']): NewStripeEvent {
  const arrived = {
    source: 'sweep' as const,
    event_type: event.type,
    object_id: objectIdOf(event.data.object),
    object_kind: objectKindOf(event.data.object),
    account: event.account,
    livemode: event.livemode,
    api_version: event.api_version,
  };
  return {
    ...arrived,
    stripe_event_id: event.id,
    created: new Date(event.created * 1000),
    tenant_hint: tenantHintOf(event.data.object),
    payload: Buffer.from(JSON.stringify(event)),
    traceparent: null,
    is_hint: isHint(arrived),
  };
}
