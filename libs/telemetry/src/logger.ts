import { type DestinationStream, pino } from 'pino';
import { currentCorrelationId } from './correlation.js';
import { linesTogether } from './lines-together.js';
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
  /** Whether lines of that level go anywhere; absent: they do. */
  isLevelEnabled?(level: LogLevel): boolean;
}

export interface LoggerOptions {
  service: string;
  level?: LogLevel;
  /** Where lines go; standard output by default. */
  destination?: DestinationStream;
}

/**
 * A logger of JSON lines with `timestamp` (RFC 3339), `level`, `service`, `event`, `correlation_id` and `trace_id`. Fields whose name says secret are
 * replaced, and each finished line is scrubbed of what looks like a secret or a card number. Lines are written before the turn of the event loop ends that they
 * come from, so the last ones before a kill are there.
 */
export function createLogger(options: LoggerOptions): Logger {
  return pino(
    {
      level: options.level ?? 'info',
      base: { service: options.service },
      messageKey: 'message',
      timestamp: timestampField,
      formatters: { level: (label) => ({ level: label }), log: withoutSecretFields },
      mixin: () => ({ correlation_id: currentCorrelationId(), trace_id: currentTraceId() }),
      serializers: { err: plainError },
      hooks: { streamWrite: scrub },
    },
    options.destination ?? standardOutput(),
  );
}

let stamped = { at: 0, field: '' };

/** Made once for the lines of a millisecond. */
function timestampField(): string {
  const at = Date.now();
  if (at !== stamped.at) stamped = { at, field: `,"timestamp":"${new Date(at).toISOString()}"` };
  return stamped.field;
}

let output: DestinationStream | undefined;

/** One for the process, so that the lines of all its loggers keep their order. */
function standardOutput(): DestinationStream {
  if (output) return output;
  const file = pino.destination({ fd: 1, sync: true });
  return (output = linesTogether(
    (lines) => file.write(lines),
    (flush) => process.on('exit', flush),
  ));
}

const SECRET_FIELD = /(^|_)(password|passwd|secret|secrets|authorization|api_key|client_secret|cookie|card|card_number|cvc)$/i;

function withoutSecretFields(fields: Record<string, unknown>): Record<string, unknown> {
  const names = Object.keys(fields);
  if (!names.some(isSecretField)) return fields;
  return Object.fromEntries(names.map((name) => [name, isSecretField(name) ? '[redacted]' : fields[name]]));
}

/** The names stand in our code, so they are few; the bound is for a name that somebody makes up at run time. */
const MOST_NAMES = 1_000;
const known = new Map<string, boolean>();

function isSecretField(name: string): boolean {
  const before = known.get(name);
  if (before !== undefined) return before;
  const isSecret = SECRET_FIELD.test(name);
  if (known.size < MOST_NAMES) known.set(name, isSecret);
  return isSecret;
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
