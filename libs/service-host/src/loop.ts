import { untilNextLook } from '@tidegate/database/next-look';
import type { Logger } from '@tidegate/telemetry/logger';
import type { HealthRegistry } from './health.js';
import { type Leadership, LeaderTerm } from './leader-term.js';

export type { Leadership } from './leader-term.js';

/** A background activity of a service. `run` resolves when `stop` was called and the work in hand is done. */
export interface Loop {
  readonly name: string;
  run(): Promise<void>;
  stop(): Promise<void>;
  /** There may be work: do not wait for the interval. */
  signal?(): void;
}

export interface LoopContext {
  /** Of the lease; null for a loop without a leader. To be named in each checkpoint that is written. */
  epoch: number | null;
  stopping: AbortSignal;
  /** A pass that takes minutes says from time to time that it is still at work. */
  alive(): void;
}

export interface EveryLoopOptions {
  name: string;
  /** Longest pause between two runs. */
  intervalMs: number;
  /** One pass; answers how much it did. More than 0: it runs again at once. */
  runOnce(context: LoopContext): Promise<number>;
  health: HealthRegistry;
  logger: Logger;
  /** Only the holder runs. */
  leader?: Leadership;
}

const FIRST_BACKOFF_MS = 200;
const LONGEST_BACKOFF_MS = 5000;
/** How often a loop that does not lead asks whether it may, in the same moment as others of its process. */
const FOLLOWER_MS = 2000;

/** A loop that runs `runOnce` one at a time, each interval and whenever signalled; errors are logged and wait twice as long each time, up to 5 s. */
export function everyLoop(options: EveryLoopOptions): Loop {
  const stopping = new AbortController();
  const wake = new WakeUp();
  const health = options.health.loop(options.name, Math.max(60_000, options.intervalMs * 3));
  const term = options.leader ? new LeaderTerm(options.leader) : null;
  const context = { stopping: stopping.signal, alive: () => health.tick() };
  let running: Promise<void> | undefined;
  let failures = 0;

  /** One pass; how long to pause after it. */
  async function pass(): Promise<number> {
    try {
      const epoch = term ? await term.epoch() : null;
      if (term && epoch === null) return untilNextLook(Math.min(FOLLOWER_MS, options.intervalMs));
      const done = await options.runOnce({ ...context, epoch });
      failures = 0;
      return done > 0 ? 0 : options.intervalMs;
    } catch (error) {
      failures += 1;
      options.logger.error({ event: 'loop_failed', loop: options.name, failures, err: error }, 'A background loop failed and tries again');
      return Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (failures - 1));
    }
  }

  async function untilStopped(): Promise<void> {
    while (!stopping.signal.aborted) {
      health.tick();
      const pauseMs = await pass();
      health.tick();
      if (pauseMs > 0) await wake.within(pauseMs);
    }
    await term?.end().catch(() => undefined);
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
