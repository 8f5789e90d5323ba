import { randomInt } from 'node:crypto';
import { type EventRecord } from '../events/event.js';
import { type RequestEntry } from '../http/request-log.js';
import { type KeyRecord } from '../idempotency/idempotency-keys.js';
import { type Stored } from '../store/collection.js';
import { type DeliveryAttempt, type Series } from '../webhooks/deliveries.js';
import { type World } from '../world.js';

/** Everything that a restart must carry over, as JSON. Faults are left behind. */
export interface Snapshot {
  readonly format: 2;
  readonly offset_seconds: number;
  readonly random: number[];
  readonly objects: Readonly<Record<string, readonly Stored[]>>;
  readonly deleted_customers: readonly Stored[];
  readonly events: readonly EventRecord[];
  readonly keys: readonly KeyRecord[];
  readonly keys_v2: readonly KeyRecord[];
  readonly jobs: ReturnType<World['scheduler']['pending']>;
  readonly series: readonly Series[];
  readonly attempts: readonly DeliveryAttempt[];
  readonly requests: readonly RequestEntry[];
}

export function takeSnapshot(world: World): Snapshot {
  return {
    format: 2,
    offset_seconds: world.clock.offsetSeconds(),
    random: world.random.state(),
    objects: Object.fromEntries(Object.entries(world.collections()).map(([name, collection]) => [name, collection.all()])),
    deleted_customers: [...world.deletedCustomers.values()],
    events: world.events.records.all(),
    keys: world.idempotency.all().filter(({ answer }) => answer !== undefined),
    keys_v2: world.idempotencyV2.all().filter(({ answer }) => answer !== undefined),
    jobs: world.scheduler.pending().filter(({ job }) => !/^(webhook|memory)\./.test(job.kind)),
    series: world.deliveries.unfinished(),
    attempts: world.deliveries.all(),
    requests: world.requests.all(),
  };
}

export function restoreSnapshot(world: World, snapshot: Snapshot): void {
  world.clock.setOffsetSeconds(snapshot.offset_seconds);
  world.random.restore(snapshot.random, randomInt(2 ** 32));
  for (const [name, collection] of Object.entries(world.collections())) {
    for (const item of snapshot.objects[name] ?? []) collection.insert(item);
  }
  for (const stub of snapshot.deleted_customers) world.deletedCustomers.set(stub.id, { id: stub.id, object: 'customer', deleted: true });
  for (const record of snapshot.events) world.events.records.insert(record);
  world.idempotency.restore(snapshot.keys);
  world.idempotencyV2.restore(snapshot.keys_v2 ?? []);
  for (const { dueMs, job } of snapshot.jobs) world.scheduler.scheduleAt(dueMs, job);
  world.deliveries.restore(snapshot.series, snapshot.attempts);
  world.requests.restore(snapshot.requests);
}
