import { HANDLED_EVENT_TYPES } from '@tidegate/contracts/handled-event-types';
import type { Failpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import type { Clock } from '@tidegate/service-host/clock';
import type { StripeEvent } from '@tidegate/stripe-gateway/intent';
import type { StripePort } from '@tidegate/stripe-gateway/port';
import type { Kysely, Transaction } from 'kysely';
import { objectIdOf, objectKindOf, tenantHintOf } from '../ingest/event-body.decide.js';
import type { Arrived } from '../normalize/hint.decide.js';
import type { Partitions } from '../stripe-event/partitions.js';
import { insertEvents, keyOf, type NewStripeEvent } from '../stripe-event/stripe-event.store.js';
import type { WebhooksTables } from '../tables.js';
import type { SweepWindow } from './window.decide.js';

export interface WindowParts {
  db: Kysely<WebhooksTables>;
  failpoints: Failpoints;
  clock: Clock;
  stripe: Pick<StripePort, 'listEvents'>;
  partitions: Pick<Partitions, 'ensureFor'>;
  /** Whether the object of an event has to be retrieved before it is published. */
  isHint(event: Arrived): boolean;
  /** Rows were stored that were never delivered. */
  found(found: Found): void;
  /** Stripe's list could not be read to the end. */
  unanswered?(): void;
}

/** Events that Stripe lists and that were not stored; `missed` of them are of types that Tidegate asks to have delivered. */
export interface Found {
  events: number;
  missed: number;
}

/** Stripe could not be read to the end of a window; what was read is stored. */
export class SweepIncomplete extends Error {}

export interface Pass {
  stopping?: AbortSignal;
  alive?: () => void;
  /** In the transaction that stores what one page showed anew. */
  along?: (tx: Transaction<WebhooksTables>, found: Found) => Promise<void>;
}

/**
 * Reads Stripe's list of events in one window and stores what is not there; answers how many those are, which are told of page by page, because the next one may not
 * come. Throws SweepIncomplete. `alive` after each page.
 */
export async function readWindow(parts: WindowParts, window: SweepWindow, { stopping, alive, along }: Pass): Promise<Found> {
  const found: Found = { events: 0, missed: 0 };
  for (let after: string | undefined; ;) {
    stopping?.throwIfAborted();
    const page = await parts.stripe.listEvents({
      created: window,
      limit: 100,
      ...(after === undefined ? {} : { starting_after: after }),
    });
    if (page.kind !== 'ok') {
      parts.unanswered?.();
      throw new SweepIncomplete(`Stripe's list of events could not be read: ${page.kind}`);
    }
    const { events, missed } = await store(parts, page.value.data, along);
    found.events += events;
    found.missed += missed;
    alive?.();
    after = page.value.data.at(-1)?.id;
    if (!page.value.has_more || after === undefined) return found;
  }
}

const HANDLED: ReadonlySet<string> = new Set(HANDLED_EVENT_TYPES);

async function store(parts: WindowParts, events: readonly StripeEvent[], along: Pass['along']): Promise<Found> {
  if (events.length === 0) return { events: 0, missed: 0 };
  const rows = events
    .map((event) => sweptRow(event, parts.isHint))
    .sort((a, b) => a.created.getTime() - b.created.getTime() || (a.stripe_event_id < b.stripe_event_id ? -1 : 1));
  await parts.partitions.ensureFor(
    rows.map((row) => row.created),
    parts.clock.now(),
  );
  const found = await inTransaction(parts, 'webhooks.sweep.insert', async (tx) => {
    const inserted = await insertEvents(tx, rows);
    const fresh = rows.filter((row) => inserted.has(keyOf(row)));
    const counted = { events: fresh.length, missed: fresh.filter(({ event_type }) => HANDLED.has(event_type)).length };
    if (counted.events > 0) await along?.(tx, counted);
    return counted;
  });
  if (found.events > 0) parts.found(found);
  return found;
}

function sweptRow(event: StripeEvent, isHint: WindowParts['isHint']): NewStripeEvent {
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
    tenant_hint: tenantHintOf(event.data.object, event.account),
    payload: Buffer.from(JSON.stringify(event)),
    traceparent: null,
    is_hint: isHint(arrived),
  };
}
