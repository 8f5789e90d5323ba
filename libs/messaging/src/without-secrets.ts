import { scrub } from '@tidegate/telemetry/scrub';

const SECRET_FIELD = /(^|_)(secret|password|token|authorization|api_key|cvc)$/i;

/** The same JSON without the values of fields that are named like secrets, and without what looks like one in any text. Events carry none; what was set aside may be something else. */
export function withoutSecrets(payload: unknown): unknown {
  const clean = (name: string, value: unknown) => {
    if (SECRET_FIELD.test(name)) return '[redacted]';
    return typeof value === 'string' ? scrub(value) : value;
  };
  return JSON.parse(JSON.stringify(payload ?? null, clean)) as unknown;
}
