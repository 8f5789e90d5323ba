import type { LoggerService } from '@nestjs/common';
import type { Logger } from '@tidegate/telemetry/logger';

/** Nest's warnings and errors in our log format; its start-up chatter at debug. */
export function nestLogger(logger: Logger): LoggerService {
  const line = (message: unknown) => (message instanceof Error ? message.message : String(message));
  return {
    log: (message) => logger.debug({ event: 'nest' }, line(message)),
    debug: (message) => logger.debug({ event: 'nest' }, line(message)),
    verbose: (message) => logger.debug({ event: 'nest' }, line(message)),
    warn: (message) => logger.warn({ event: 'nest_warning' }, line(message)),
    error: (message: unknown, ...rest: unknown[]) =>
      logger.error({ event: 'nest_error', ...(message instanceof Error ? { err: message } : { detail: rest.map(line) }) }, line(message)),
  };
}
