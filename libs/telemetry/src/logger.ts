import { type DestinationStream, pino } from 'pino';
import { currentCorrelationId } from './correlation.js';
import { scrub } from './scrub.js';
import { currentTraceId } from './tracing.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** `event` names what happened, snake_case, from a closed set; everything variable goes into other fields. An Error goes into `err`. */
export type LogFields = { event: string } & Record<string, unknown>;

export interface Logger {
  debug(fields: LogFields, message?: string): void;
  info(fields: LogFields, message?: string): void;
  warn(fields: LogFields, message?: string): void;
  error(fields: LogFields, message?: string): void;
  child(fields: Record<string, unknown>): Logger;
}

export interface LoggerOptions {
  service: string;
  level?: LogLevel;
  /** Where lines go; standard output by default. */
  destination?: DestinationStream;
}

/**
 * A logger of JSON lines with `timestamp` (RFC 3339), `level`, `service`, `event`, `correlation_id` and `trace_id`. Fields whose name says secret are
 * replaced, and each finished line is scrubbed of what looks like a secret or a card number. Lines are written synchronously, so the last ones
 * before a kill are there.
 */
export function createLogger(options: LoggerOptions): Logger {
  return pino(
    {
      level: options.level ?? 'info',
      base: { service: options.service },
      messageKey: 'message',
      timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }), log: withoutSecretFields },
      mixin: () => ({ correlation_id: currentCorrelationId(), trace_id: currentTraceId() }),
      serializers: { err: plainError },
      hooks: { streamWrite: scrub },
    },
    options.destination ?? pino.destination({ fd: 1, sync: true }),
  );
}

const SECRET_FIELD = /(^|_)(password|passwd|secret|secrets|authorization|api_key|client_secret|cookie|card|card_number|cvc)$/i;

function withoutSecretFields(fields: Record<string, unknown>): Record<string, unknown> {
  const clean: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) clean[name] = SECRET_FIELD.test(name) ? '[redacted]' : value;
  return clean;
}

/** Only what helps: a driver's error also carries the row that failed. */
function plainError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = (error as { code?: unknown }).code;
  return {
    type: error.name,
    message: error.message,
    ...(typeof code === 'string' ? { code } : {}),
    ...(error.cause instanceof Error ? { cause: error.cause.message } : {}),
    stack: error.stack,
  };
}
