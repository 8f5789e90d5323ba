import { AUTOMATIC, type Cause } from '../http/call.js';
import { Collection } from '../store/collection.js';
import { type World } from '../world.js';
import { type EventRecord, covers, previousAttributes } from './event.js';

/** Events live for 30 days. */
export const EVENT_LIFETIME_SECONDS = 30 * 86_400;

/** Writes events and hands each to the endpoints that want it. */
export class EventLog {
  readonly records = new Collection<EventRecord>((record) => record.event.created);

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

  markDelivered(id: string, endpoint: string): void {
    const record = this.records.get(id);
    if (record?.undelivered.includes(endpoint)) {
      this.records.replace({ ...record, undelivered: record.undelivered.filter((one) => one !== endpoint) });
    }
  }

  clear(): void {
    this.records.clear();
  }

  private write(type: string, object: object, cause: Cause, before?: object): void {
    const { world } = this;
    const endpoints = world.endpoints
      .all()
      .filter(({ status, enabled_events }) => status === 'enabled' && enabled_events.some((pattern) => covers(pattern, type)));
    const previous = before === undefined || !type.endsWith('updated') ? undefined : previousAttributes(before, object);
    const record: EventRecord = {
      id: world.ids.next('evt'),
      undelivered: endpoints.map(({ id }) => id),
      event: {
        id: '',
        object: 'event',
        api_version: world.settings.accountApiVersion,
        created: world.clock.nowSeconds(),
        data: previous === undefined ? { object } : { object, previous_attributes: previous },
        livemode: false,
        pending_webhooks: endpoints.length,
        request: { id: cause.requestId, idempotency_key: cause.idempotencyKey },
        type,
      },
    };
    const stored = this.records.insert({ ...record, event: { ...record.event, id: record.id } });
    world.selfCheck?.event(stored.event);
    for (const endpoint of endpoints) world.deliveries.start(stored, endpoint.id);
  }
}
