import { randomUUID } from 'node:crypto';
import { type Db } from '@tidegate/database/database';
import { noFailpoints } from '@tidegate/database/failpoints';
import { shellUser } from '@tidegate/database/shell-user';
import { type Logger } from '@tidegate/telemetry/logger';
import { v7 as uuidv7 } from 'uuid';
import { type Broker } from './broker.js';
import { type Projection } from './replay/projection.js';
import { type Done, ReplayRunner } from './replay/replay.flow.js';

export { RebuildIncomplete } from './replay/source-replay.js';

export interface RebuildOptions {
  /** Opened as the service's role: its schema is the one rebuilt. */
  db: Db;
  broker: Broker;
  logger: Logger;
  service: string;
  projection: Projection;
}

/**
 * Rebuilds a projection in this process, without asking the service: replays its events in a new generation beside the live one and swaps both in. The live
 * subscribers go on meanwhile and continue in the new generation. Throws, and changes nothing live, when a message cannot be handled, an owner is away or
 * another replay of the same tables is under way.
 */
export async function rebuild(options: RebuildOptions): Promise<Done> {
  const [{ durable }] = options.projection.sources;
  const clock = { now: () => new Date() };
  const parts = { ...options, clock, failpoints: noFailpoints, instance: `rebuild-${randomUUID()}` };
  const runner = new ReplayRunner({ ...parts, replayable: { projections: [options.projection] } });
  const [actor, reason] = [`shell:${shellUser()}`, 'rebuild'];
  const wish = {
    consumer: durable,
    projection: durable,
    from_time: null,
    from_position: null,
    actor,
    reason,
    swap_actor: actor,
    swap_reason: reason,
  };
  const control = { stopping: new AbortController().signal, alive: () => undefined };
  return runner.runNow({ ...wish, id: uuidv7(), requested_at: clock.now() }, control);
}
