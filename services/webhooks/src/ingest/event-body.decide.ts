import { z } from 'zod';
import { nestsDeeper } from './nesting.decide.js';

/** Stripe's own events nest about 12 deep; metadata cannot nest. */
export const MAX_DEPTH = 64;

/** What is known of a delivered event before anything is done with it. `thin` events name an object instead of carrying it. */
export interface ReceivedEvent {
  stripe_event_id: string;
  event_type: string;
  created: Date;
  /** The object that it is about. */
  object_id: string | null;
  object_kind: string | null;
  source: 'webhook' | 'thin';
  livemode: boolean;
  api_version: string | null;
  account: string | null;
  tenant_hint: string | null;
}

export type EventBody = { kind: 'event'; event: ReceivedEvent } | { kind: 'malformed'; reason: string };

const id = z.string().regex(/^[A-Za-z0-9_]{1,255}$/);
const type = z.string().regex(/^[A-Za-z0-9_.]{1,200}$/);
const label = z.string().regex(/^[\w.:-]{1,100}$/);
/** Years 1970 to 9999. */
const unixSeconds = z.int().nonnegative().max(253_402_300_799);

/** Not looked into: a copy of each object would cost as much as all the rest. */
function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const Snapshot = z.object({
  object: z.literal('event'),
  id,
  type,
  created: unixSeconds,
  livemode: z.boolean(),
  api_version: label.nullish(),
  account: label.nullish(),
  data: z.object({ object: z.custom<Record<string, unknown>>(isRecord) }),
});

const Thin = z.object({
  object: z.literal('v2.core.event'),
  id,
  type,
  created: z.iso.datetime({ offset: true }),
  livemode: z.boolean(),
  context: label.nullish(),
  related_object: z.object({ id, type }).nullish(),
});

const OfTenant = z.object({ tenant_id: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/) });

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Reads the signed bytes of a delivery. Anything that is not one of Stripe's two event forms is `malformed`; nothing throws. */
export function readEventBody(raw: Buffer): EventBody {
  if (nestsDeeper(raw, MAX_DEPTH)) return malformed(`nested deeper than ${MAX_DEPTH}`);
  let json: unknown;
  try {
    json = JSON.parse(utf8.decode(raw));
  } catch {
    return malformed('not JSON');
  }
  const snapshot = Snapshot.safeParse(json);
  if (snapshot.success) return { kind: 'event', event: fromSnapshot(snapshot.data) };
  const thin = Thin.safeParse(json);
  if (thin.success) return { kind: 'event', event: fromThin(thin.data) };
  return malformed('not a Stripe event');
}

const malformed = (reason: string): EventBody => ({ kind: 'malformed', reason });

function fromSnapshot(event: z.infer<typeof Snapshot>): ReceivedEvent {
  return {
    stripe_event_id: event.id,
    event_type: event.type,
    created: new Date(event.created * 1000),
    object_id: objectIdOf(event.data.object),
    object_kind: objectKindOf(event.data.object),
    source: 'webhook',
    livemode: event.livemode,
    api_version: event.api_version ?? null,
    account: event.account ?? null,
    tenant_hint: tenantHintOf(event.data.object, event.account ?? null),
  };
}

function fromThin(event: z.infer<typeof Thin>): ReceivedEvent {
  return {
    stripe_event_id: event.id,
    event_type: event.type,
    created: new Date(event.created),
    object_id: event.related_object?.id ?? null,
    object_kind: event.related_object?.type ?? null,
    source: 'thin',
    livemode: event.livemode,
    api_version: null,
    account: event.context ?? null,
    tenant_hint: null,
  };
}

/** The id of an object as Stripe shows it; null when it has none (a balance). */
export function objectIdOf(object: Record<string, unknown>): string | null {
  return id.safeParse(object['id']).data ?? null;
}

/** `payment_intent`, `charge` …; null when the object does not say. */
export function objectKindOf(object: Record<string, unknown>): string | null {
  return type.safeParse(object['object']).data ?? null;
}

/** The tenant that the object's metadata names; null when there is none or it cannot be one of ours, and of another account, whose metadata may say anything. */
export function tenantHintOf(object: Record<string, unknown>, account: string | null): string | null {
  return account === null ? (OfTenant.safeParse(object['metadata']).data?.tenant_id ?? null) : null;
}
