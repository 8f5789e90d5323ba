import { z } from 'zod';
import { type ReadSecret, Secret } from './secret.js';

/** What the generated configuration reference says about a setting. */
export interface SettingDoc {
  doc: string;
  unit?: string;
  secret?: boolean;
}

const docs = z.registry<SettingDoc>();

/** Attaches the documentation of a setting to its schema; `settingDoc` reads it back. */
export function documented<T extends z.ZodType>(schema: T, doc: SettingDoc): T {
  docs.add(schema, doc);
  return schema;
}

export function settingDoc(schema: z.ZodType): SettingDoc | undefined {
  return docs.get(schema);
}

/**
 * A secret setting, read by `inner`. Given as a file it is followed while the process runs; a new value must then be right for `inner`, too, and agree with
 * the one from the start in what `fixed` names (the mode of a key, say), which needs a restart to change.
 */
export function secret<T>(
  inner: z.ZodType<T, string>,
  { fixed, ...doc }: Omit<SettingDoc, 'secret'> & { fixed?: { what: string; of(value: T): unknown } },
) {
  const schema = z.string().transform((text, context): Secret<T> => {
    const parsed = inner.safeParse(text);
    if (!parsed.success) {
      for (const { message } of parsed.error.issues) context.addIssue({ code: 'custom', message });
      return z.NEVER;
    }
    const first = parsed.data;
    const read: ReadSecret<T> = (next) => {
      const { data, error } = inner.safeParse(next);
      if (error) return { faults: error.issues.map((issue) => issue.message) };
      return fixed && fixed.of(data) !== fixed.of(first) ? { faults: [`${fixed.what} changes, which needs a restart`] } : { value: data };
    };
    return Secret.of(text, first, read);
  });
  return documented(schema, { ...doc, secret: true });
}

/** A whole number between `min` and `max`, both included. */
export function wholeNumber(range: { min?: number; max?: number } = {}) {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = range;
  const message = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^-?\d{1,16}$/, message)
    .transform(Number)
    .refine((value) => value >= min && value <= max, message);
}

/** A decimal number between `min` and `max`, both included. */
export function decimal(range: { min: number; max: number }) {
  const message = `must be a number from ${range.min} to ${range.max}`;
  return z
    .string()
    .regex(/^\d+(\.\d+)?$/, message)
    .transform(Number)
    .refine((value) => value >= range.min && value <= range.max, message);
}

export function flag() {
  return z.enum(['true', 'false', '1', '0'], 'must be true or false').transform((value) => value === 'true' || value === '1');
}

/** An absolute URL with one of these schemes, e.g. `['http', 'https']`. */
export function url(...schemes: string[]) {
  const message = `must be a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`;
  return z.string().refine((value) => URL.canParse(value) && schemes.includes(new URL(value).protocol.slice(0, -1)), message);
}

/** URLs of one thing that has several servers, separated by commas. */
export function urls(...schemes: string[]) {
  const one = url(...schemes);
  return z.string().refine((value) => value.split(',').every((each) => one.safeParse(each.trim()).success), {
    error: `must be a URL that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}, or several separated by commas`,
  });
}

/** A comma-separated list of at least one value. */
export function commaSeparated() {
  return z
    .string()
    .transform((value) =>
      value
        .split(',')
        .map((one) => one.trim())
        .filter((one) => one !== ''),
    )
    .refine((values) => values.length > 0, 'must be a comma-separated list with at least one value');
}
