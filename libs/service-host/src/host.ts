import { flushCompileCache } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import { createLogger, type Logger } from '@tidegate/telemetry/logger';
import { assemble } from './assemble.js';
import type { BaseConfig } from './base-config.js';
import { ConfigError } from './config.js';
import type { HostSpec, ServiceParts, Startable } from './service-parts.js';
import { runSteps, STOP_LIMITS_MS } from './shutdown.js';

export type { HostContext, HostSpec, ServiceParts, Startable } from './service-parts.js';

export interface RunningService {
  /** Where the HTTP listener is, e.g. http://127.0.0.1:3000. */
  url: string;
  /** The ordered shutdown; resolves to true when every step finished in time. */
  stop(): Promise<boolean>;
}

/**
 * Runs a service until SIGTERM or SIGINT, then stops in order and exits 0: not ready, no new work, work in hand done (at most 15 s), broker drained, pool
 * ended, spans flushed. A service listens, not ready, while Postgres or the broker is away, and recovers by itself.
 */
export async function host<C extends BaseConfig>(spec: HostSpec<C>): Promise<void> {
  const config = configOf(spec);
  const logger = createLogger({ service: spec.service, level: config.LOG_LEVEL });
  const crash = (event: string) => (error: unknown) => {
    logger.error({ event, err: error }, 'A bug: the process ends');
    process.exit(1);
  };
  process.on('uncaughtException', crash('uncaught_exception')).on('unhandledRejection', crash('unhandled_rejection'));
  try {
    const running = await startService({ ...spec, config }, logger);
    const stop = once(async () => process.exit((await running.stop()) ? 0 : 1));
    process.on('SIGTERM', stop).on('SIGINT', stop);
    // With NODE_COMPILE_CACHE the next start need not compile again; a process that is killed would not leave it behind at its end.
    flushCompileCache();
  } catch (error) {
    if (error instanceof ConfigError) return endBy(error, logger);
    crash('start_failed')(error);
  }
}

/** The same without signals and exits, for tests that run a service in their own process. */
export async function startService<C extends BaseConfig>(spec: HostSpec<C>, logger: Logger): Promise<RunningService> {
  const { context, parts, app, closing } = await assemble(spec, logger);
  const { config, health, instance } = context;
  await app.listen(config.PORT, config.HOST);
  const url = await app.getUrl();

  const starting = new StartingUp(logger);
  health[spec.readyWithoutBroker ? 'dispensable' : 'dependency']('startup', () => starting.check());
  if (parts.strategies?.length) starting.begin('microservices', async () => void (await app.startAllMicroservices()));
  for (const consumer of parts.consumers ?? []) starting.begin(consumer.name ?? consumer.constructor.name, () => consumer.start());
  for (const loop of parts.loops ?? []) void loop.run();
  logger.info({ event: 'service_started', url, instance, version: spec.version }, `${spec.service} listens on ${url}`);

  const stop = () => {
    logger.info({ event: 'service_stopping' }, 'Stopping: no new work, work in hand first');
    health.drain();
    starting.stop();
    return runSteps(
      [
        {
          name: 'work in hand',
          limitMs: STOP_LIMITS_MS.workInHand,
          run: () => allOf([stopWork(parts), delay(config.SHUTDOWN_GRACE_SECONDS * 1000).then(() => app.close())]),
        },
        ...closing,
      ],
      logger,
    ).finally(() => logger.info({ event: 'service_stopped' }, 'Stopped'));
  };
  return { url, stop: once(stop) };
}

/** Ends the process with one line per fault when the configuration is not valid: a stack trace would help nobody. */
function configOf<C extends BaseConfig>(spec: HostSpec<C>): Readonly<C> {
  try {
    return typeof spec.config === 'function' ? spec.config() : spec.config;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return endBy(error, createLogger({ service: spec.service }));
  }
}

function endBy({ faults, message }: ConfigError, logger: Logger): never {
  logger.error({ event: 'config_invalid', faults }, message);
  process.exit(1);
}

async function stopWork(parts: ServiceParts): Promise<void> {
  await allOf([
    ...(parts.loops ?? []).map((loop) => loop.stop()),
    ...(parts.consumers ?? []).map((consumer) => consumer.stop()),
    ...(parts.strategies ?? []).map(async (strategy) => void (await strategy.close())),
  ]);
}

/** Waits for each, also when one of them fails: what is in hand elsewhere needs the broker and the database until it is done. Throws the first failure. */
async function allOf(work: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
}

/** Starts what needs the broker or the database without waiting for it, trying again each second until it works. */
class StartingUp {
  #stopped = false;
  readonly #pending = new Set<{ what: string }>();
  constructor(private readonly logger: Logger) {}

  begin(what: string, start: Startable['start']): void {
    const one = { what };
    this.#pending.add(one);
    void this.#untilStarted(what, start).then(() => this.#pending.delete(one));
  }

  /** Throws while something has not started: a deploy that stops another replica now would leave nobody for that. */
  check(): void {
    if (this.#pending.size > 0) throw new Error(`not started yet: ${[...this.#pending].map(({ what }) => what).join(', ')}`);
  }

  stop(): void {
    this.#stopped = true;
  }

  async #untilStarted(what: string, start: Startable['start']): Promise<void> {
    while (!this.#stopped) {
      try {
        return await start();
      } catch (error) {
        this.logger.warn({ event: 'start_postponed', what, err: error }, 'Could not start yet; trying again in a second');
        await delay(1000);
      }
    }
  }
}

function once<T>(fn: () => T): () => T {
  let result: { value: T } | undefined;
  return () => (result ??= { value: fn() }).value;
}
