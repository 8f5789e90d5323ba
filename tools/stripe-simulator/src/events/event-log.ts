import { AUTOMATIC, type Cause } from '../http/call.js';
import { shownLines } from '../invoices/first-lines.js';
import { Collection } from '../store/collection.js';
import { targetsOf, thinTargetsOf } from '../webhooks/targets.js';
import { type World } from '../world.js';
import { type AnyEventRecord, type EventRecord, type RelatedObject, type ThinRecord, previousAttributes } from './event.js';
import { isoTime } from './thin.js';

/** Events live for 30 days. */
export const EVENT_LIFETIME_SECONDS = 30 * 86_400;

/** Writes events and hands each to everything that wants it. */
export class EventLog {
  readonly records = new Collection<EventRecord>((record) => record.event.created);
  /** Thin events that are no twins of snapshot events. */
  readonly thin = new Collection<ThinRecord>((record) => record.createdSeconds);

  constructor(private readonly world: World) {}

  /**
   * Emits one event about `object` as it is now. With `before`, the changed fields go into `previous_attributes`
   * (of `*.updated` events only).
   * A silent cause emits nothing.
   */
  emit(type: string, object: object, cause: Cause = AUTOMATIC, before?: object): void {
    if (cause.silent) return;
    this.write(type, object, cause, before);
    if (this.world.faults.takeWebhook('webhook_two_events', type) !== undefined) this.write(type, object, cause, before);
  }

  /** Emits a thin event that has no snapshot: to what selected it, or to the given targets. `data` shows when the event is fetched. */
  notify(type: string, related: RelatedObject | null, more: { data?: object; targets?: readonly string[] } = {}): ThinRecord {
    const { world } = this;
    const { data, targets = thinTargetsOf(world, type) } = more;
    const createdSeconds = world.clock.nowSeconds();
    const id = world.ids.next('evt_test');
    const record = this.thin.insert({
      id,
      createdSeconds,
      undelivered: targets,
      event: {
        id,
        object: 'v2.core.event',
        created: isoTime(createdSeconds),
        livemode: false,
        related_object: related,
        type,
        ...(data && { data }),
      },
    });
    for (const target of targets) world.deliveries.start(record, target);
    return record;
  }

  find(id: string): AnyEventRecord | undefined {
    return this.records.get(id) ?? this.thin.get(id);
  }

  markDelivered(id: string, target: string): void {
    const undelivered = (record: AnyEventRecord): string[] => record.undelivered.filter((one) => one !== target);
    const record = this.records.get(id);
    const thin = this.thin.get(id);
    if (record?.undelivered.includes(target)) this.records.replace({ ...record, undelivered: undelivered(record) });
    if (thin?.undelivered.includes(target)) this.thin.replace({ ...thin, undelivered: undelivered(thin) });
  }

  clear(): void {
    this.records.clear();
    this.thin.clear();
  }

  private write(type: string, whole: object, cause: Cause, before?: object): void {
    const { world } = this;
    const object = shownLines(whole) as object;
    const targets = targetsOf(world, type);
    const previous =
      before === undefined || !type.endsWith('updated') ? undefined : previousAttributes(shownLines(before) as object, object);
    const record: EventRecord = {
      id: world.ids.next('evt'),
      undelivered: targets,
      ...this.unlisted(type),
      event: {
        id: '',
        object: 'event',
        api_version: world.settings.accountApiVersion,
        created: world.clock.nowSeconds(),
        data: previous === undefined ? { object } : { object, previous_attributes: previous },
        livemode: false,
        pending_webhooks: targets.length,
        request: { id: cause.requestId, idempotency_key: cause.idempotencyKey },
        type,
      },
    };
    const stored = this.records.insert({ ...record, event: { ...record.event, id: record.id } });
    world.selfCheck?.event(stored.event);
    for (const target of targets) world.deliveries.start(stored, target);
  }

  /** A fault keeps the event out of lists for `ms` of the virtual clock, or for good. */
  private unlisted(type: string): { listedFromMs?: number } {
    const fault = this.world.faults.takeWebhook('event_unlisted', type);
    if (fault === undefined) return {};
    return { listedFromMs: fault.ms === undefined ? Number.MAX_SAFE_INTEGER : this.world.clock.nowMs() + fault.ms };
  }
}
