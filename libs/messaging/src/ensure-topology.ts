import { setTimeout as delay } from 'node:timers/promises';
import { type NatsConnection } from '@nats-io/transport-node';
import { type Logger } from '@tidegate/telemetry/logger';
import { isJsError, JS_ERROR, jsApi, nanosOf } from './js-api.js';
import {
  type CanarySpec,
  durablesOf,
  type DurableSpec,
  LAPTOP_TOPOLOGY,
  rebuildConsumerOf,
  streamOf,
  type StreamSpec,
  type TopologyOptions,
} from './topology.js';

const MAX_AGE_MS = 7 * 24 * 3_600_000;
const DUPLICATE_WINDOW_MS = 120_000;
export const CANARY_MAX_BYTES = 64 * 1024;
const ACK_WAIT_MS = 30_000;
/** Stored and acknowledged within milliseconds, so this bounds what one replica can take away from the others. */
const MAX_ACK_PENDING = 512;
const REBUILD_CONSUMER_IDLE_MS = 30_000;

/**
 * Creates, or brings up to date, the stream of this service and then its durables on the streams it consumes. Idempotent; deletes nothing. A stream that
 * its owner has not created yet is waited for, for at most `waitMs` (default 30 s), and logged.
 */
export async function ensureTopology(
  nc: NatsConnection,
  service: string,
  options: TopologyOptions & { logger?: Logger; waitMs?: number } = LAPTOP_TOPOLOGY,
): Promise<void> {
  const own = streamOf(service);
  if (own) await ensureStream(nc, own, options);
  for (const durable of durablesOf(service)) await ensureDurableOnceThere(nc, durable, options.waitMs ?? 30_000, options.logger);
}

/** File storage; refuses new messages when full instead of dropping unread ones; nobody may delete from it. */
export async function ensureStream(nc: NatsConnection, spec: StreamSpec, options: TopologyOptions): Promise<void> {
  await createOrUpdate(nc, {
    ...streamConfig(options),
    name: spec.stream,
    subjects: spec.subjects,
    discard: 'new',
    max_msgs: -1,
    max_bytes: options.maxBytes,
    max_age: nanosOf(MAX_AGE_MS),
  });
}

/** Stored like events are, but only the last message is kept. */
export async function ensureCanaryStream(nc: NatsConnection, spec: CanarySpec, options: TopologyOptions): Promise<void> {
  await createOrUpdate(nc, {
    ...streamConfig(options),
    name: spec.stream,
    subjects: [spec.subject],
    discard: 'old',
    max_msgs: 1,
    max_bytes: CANARY_MAX_BYTES,
    max_age: 0,
  });
}

const streamConfig = ({ replicas }: TopologyOptions) => ({
  retention: 'limits',
  storage: 'file',
  max_msgs_per_subject: -1,
  max_msg_size: -1,
  max_consumers: -1,
  duplicate_window: nanosOf(DUPLICATE_WINDOW_MS),
  num_replicas: replicas,
  deny_delete: true,
  deny_purge: true,
  allow_rollup_hdrs: false,
});

async function createOrUpdate(nc: NatsConnection, config: Record<string, unknown> & { name: string }): Promise<void> {
  try {
    await jsApi(nc, `STREAM.CREATE.${config.name}`, config);
  } catch (error) {
    if (!isJsError(error, JS_ERROR.streamNameInUse)) throw error;
    await jsApi(nc, `STREAM.UPDATE.${config.name}`, config);
  }
}

/** Throws with JS_ERROR.streamNotFound while the owner has not created the stream. */
export async function ensureDurable(nc: NatsConnection, spec: DurableSpec): Promise<void> {
  await jsApi(nc, `CONSUMER.CREATE.${spec.stream}.${spec.durable}`, {
    stream_name: spec.stream,
    config: {
      name: spec.durable,
      durable_name: spec.durable,
      deliver_policy: 'all',
      replay_policy: 'instant',
      ack_policy: 'explicit',
      ack_wait: nanosOf(ACK_WAIT_MS),
      max_deliver: -1,
      max_ack_pending: MAX_ACK_PENDING,
    },
  });
}

/** The consumer of a rebuild: reads the stream from its start, acknowledges nothing, and is removed by the server when it is left alone. */
export async function createRebuildConsumer(nc: NatsConnection, spec: DurableSpec): Promise<string> {
  const name = rebuildConsumerOf(spec.durable);
  await jsApi(nc, `CONSUMER.DELETE.${spec.stream}.${name}`).catch((error: unknown) => {
    if (!isJsError(error, JS_ERROR.consumerNotFound)) throw error;
  });
  await jsApi(nc, `CONSUMER.CREATE.${spec.stream}.${name}`, {
    stream_name: spec.stream,
    config: {
      name,
      deliver_policy: 'all',
      replay_policy: 'instant',
      ack_policy: 'none',
      max_deliver: -1,
      inactive_threshold: nanosOf(REBUILD_CONSUMER_IDLE_MS),
      mem_storage: true,
    },
  });
  return name;
}

async function ensureDurableOnceThere(nc: NatsConnection, spec: DurableSpec, waitMs: number, logger?: Logger): Promise<void> {
  const deadline = Date.now() + waitMs;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ensureDurable(nc, spec);
    } catch (error) {
      if (!isJsError(error, JS_ERROR.streamNotFound) || Date.now() >= deadline) throw error;
      if (attempt === 1)
        logger?.info(
          { event: 'stream_awaited', stream: spec.stream, consumer: spec.durable },
          'Waiting for the owner to create its stream',
        );
      await delay(250);
    }
  }
}
