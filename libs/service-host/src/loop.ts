import type { Logger } from '@tidegate/telemetry/logger';
import type { HealthRegistry } from './health.js';

/** A background activity of a service. `run` resolves when `stop` was called and the work in hand is done. */
export interface Loop {
  readonly name: string;
  run(): Promise<void>;
  stop(): Promise<void>;
  /** There may be work: do not wait for the interval. */
  signal?(): void;
}

/** What a loop needs of a row lease: an epoch while held, null otherwise. */
export interface Leadership {
  acquire(): Promise<number | null>;
  renew(): Promise<boolean>;
  release(): Promise<void>;
}

export interface EveryLoopOptions {
  name: string;
  /** Longest pause between two runs. */
  intervalMs: number;
  /** One pass; answers how much it did. More than 0: it runs again at once. */
  runOnce(context: { epoch: number | null; stopping: AbortSignal }): Promise<number>;
  health: HealthRegistry;
  logger: Logger;
  /** Only the holder runs. */
  leader?: Leadership;
}

const FIRST_BACKOFF_MS = 200;
const LONGEST_BACKOFF_MS = 5000;
const RENEW_MS = 1000;

/** A loop that runs `runOnce` one at a time, each interval and whenever signalled; errors are logged and wait twice as long each time, up to 5 s. */
export function everyLoop(options: EveryLoopOptions): Loop {
  const stopping = new AbortController();
  const wake = new WakeUp();
  const health = options.health.loop(options.name, Math.max(60_000, options.intervalMs * 3));
  let running: Promise<void> | undefined;
  let failures = 0;

  async function pass(): Promise<number> {
    try {
      const done = await asLeader(options, stopping.signal);
      failures = 0;
      return done;
    } catch (error) {
      failures += 1;
      options.logger.error({ event: 'loop_failed', loop: options.name, failures, err: error }, 'A background loop failed and tries again');
      return 0;
    }
  }

  async function untilStopped(): Promise<void> {
    while (!stopping.signal.aborted) {
      health.tick();
      const done = await pass();
      health.tick();
      if (done > 0) continue;
      await wake.within(failures === 0 ? options.intervalMs : Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (failures - 1)));
    }
    await options.leader?.release().catch(() => undefined);
    health.stop();
  }

  return {
    name: options.name,
    run: () => (running ??= untilStopped()),
    stop: async () => {
      stopping.abort();
      wake.now();
      await running;
    },
    signal: () => wake.now(),
  };
}

/** Runs one pass under the lease, renewing it each second meanwhile; 0 when another holds it. */
async function asLeader(options: EveryLoopOptions, stopping: AbortSignal): Promise<number> {
  if (!options.leader) return options.runOnce({ epoch: null, stopping });
  const epoch = await options.leader.acquire();
  if (epoch === null) return 0;
  const { leader } = options;
  const renewal = setInterval(() => void leader.renew().catch(() => false), RENEW_MS);
  try {
    return await options.runOnce({ epoch, stopping });
  } finally {
    clearInterval(renewal);
  }
}

/** A pause that `now()` ends; a wake-up that comes while nobody waits ends the next pause. */
class WakeUp {
  #pending = false;
  #resolve: (() => void) | undefined;

  now(): void {
    this.#pending = true;
    this.#resolve?.();
  }

  async within(ms: number): Promise<void> {
    if (!this.#pending) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#resolve = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#resolve = undefined;
    this.#pending = false;
  }
}
