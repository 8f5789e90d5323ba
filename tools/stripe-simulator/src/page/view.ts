import { type StripeEvent, eventView } from '../events/event.js';
import { HTTP_FAULTS, LATE_FAULTS, WEBHOOK_FAULTS } from '../faults/fault.js';
import { type Stored } from '../store/collection.js';
import { type World } from '../world.js';
import { KINDS, shown } from './kinds.js';

/** How much of everything the page gets: the newest. */
const ROWS = 50;
/** How far back a search looks. */
const SEARCHED = 5_000;
const IN_ROW = [
  ...['id', 'object', 'status', 'payment_status', 'amount', 'amount_total', 'amount_due', 'unit_amount', 'currency', 'created', 'type'],
  ...['customer', 'description', 'email', 'name', 'reason', 'event_name', 'url', 'amount_refunded', 'disputed', 'refunded', 'active'],
];

/** What the page shows for a kind of object and a search: newest first, everywhere. */
export function pageView(world: World, kind: string, search: string): object {
  const collections = world.collections();
  const kinds = Object.entries(KINDS).filter(([name]) => collections[name] !== undefined);
  return {
    clock: { now: new Date(world.clock.nowMs()).toISOString(), offset_seconds: world.clock.offsetSeconds() },
    kinds: kinds.map(([name, label]) => ({ name, label, count: collections[name]?.size ?? 0 })),
    objects: rows(world, kind, search.trim().toLowerCase()),
    requests: world.requests.all().slice(-ROWS).reverse(),
    deliveries: world.deliveries.all().slice(-ROWS).reverse(),
    events: (world.events.records.page({ limit: ROWS })?.data ?? []).map(eventView).map(eventRow),
    listeners: world.listeners.wanting('payment_intent.created').length,
    faults: world.faults.list(),
    fault_names: { request: HTTP_FAULTS, delivery: WEBHOOK_FAULTS, later: LATE_FAULTS },
  };
}

function rows(world: World, kind: string, search: string): object[] {
  const collection = Object.hasOwn(KINDS, kind) ? world.collections()[kind] : undefined;
  let left = SEARCHED;
  const matches = (item: Stored): boolean => (left -= 1) >= 0 && JSON.stringify(item).toLowerCase().includes(search);
  const found = collection?.page({ limit: ROWS, ...(search !== '' && { matches }) })?.data ?? [];
  return found.map((item) => row(shown(world, kind, item)));
}

function row(item: object): object {
  const given = item as Readonly<Record<string, unknown>>;
  return Object.fromEntries(IN_ROW.filter((name) => given[name] !== undefined && given[name] !== null).map((name) => [name, given[name]]));
}

function eventRow({ id, type, created, pending_webhooks: pending, data }: StripeEvent): object {
  return { id, type, created, pending, about: (data.object as { id?: string }).id ?? '' };
}
