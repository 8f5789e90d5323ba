import { EVENT_REPLAY_STATUSES } from '@tidegate/contracts/ops/event-replays';
import type { Owner } from '@tidegate/contracts/subjects';
import type { Replayable } from '@tidegate/messaging/replay/projection';
import { ReplayRunner } from '@tidegate/messaging/replay/replay.flow';
import { serveEventReplays } from '@tidegate/messaging/replay/replay.rpc';
import { countReplays } from '@tidegate/messaging/replay/replay.store';
import type { RpcServer } from '@tidegate/messaging/rpc';
import type { BaseConfig } from './base-config.js';
import { everyLoop, type Loop } from './loop.js';
import type { HostContext } from './service-parts.js';

/** Less than the head start that a swap leaves to the process that has built the tables: the wish may reach another one. */
const POLL_MS = 2000;

/** What lets operators replay the projections of a service: the loop that works on replays, on any replica, and the requests of operators. */
export function eventReplays<C extends BaseConfig>(
  host: HostContext<C>,
  owner: Owner,
  replayable: Replayable,
): { loop: Loop; serve: () => RpcServer } {
  const { db, broker, clock, logger, failpoints, health, metrics, instance } = host;
  const runner = new ReplayRunner({ db, broker, clock, logger, failpoints, instance, service: owner, replayable });
  metrics.gauge(
    'event_replays',
    'Replays of projections that operators asked for, by status; `done`, `stopped`, `failed` and `expired` are over.',
    { status: EVENT_REPLAY_STATUSES },
    async (gauge) => {
      for (const [status, count] of Object.entries(await countReplays(db))) gauge.set({ status }, count);
    },
  );
  const loop = everyLoop({
    name: `${owner}.event_replays`,
    intervalMs: POLL_MS,
    health,
    logger,
    runOnce: (control) => runner.runOnce(control),
  });
  return { loop, serve: () => serveEventReplays({ broker, db, owner, logger, clock, replayable, wanted: () => loop.signal?.() }) };
}
