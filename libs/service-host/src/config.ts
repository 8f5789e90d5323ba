import { readFileSync } from 'node:fs';
import type { z } from 'zod';
import { faultsOfDrillSettings } from './drill-settings.js';
import { Secret } from './secret.js';

/** Every fault of a configuration at once; the message has one line per variable and never shows a value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(readonly faults: readonly string[]) {
    super(`The configuration is not valid:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the variables that `schema` names, checks them and freezes the result. An empty variable counts as absent; `NAME_FILE` gives the value of
 * `NAME` from a file, and a secret among them knows the file (see SecretFiles). Throws a ConfigError that names every variable at fault.
 */
export function readConfig<S extends z.ZodObject>(schema: S, env: Environment = process.env): Readonly<z.infer<S>> {
  const given: Record<string, string> = {};
  const faults: string[] = [];
  for (const name of Object.keys(schema.shape)) {
    const value = valueOf(name, env, faults);
    if (value !== undefined) given[name] = value;
  }
  const parsed = schema.safeParse(given);
  if (!parsed.success) faults.push(...parsed.error.issues.map(explain));
  faults.push(...faultsOfDrillSettings(env));
  if (!parsed.success || faults.length > 0) throw new ConfigError([...new Set(faults)]);
  return Object.freeze(withFiles(parsed.data, env));
}

function withFiles<C extends object>(config: C, env: Environment): C {
  const entries = Object.entries(config).map(([name, value]: [string, unknown]) => {
    const file = env[`${name}_FILE`]?.trim();
    return [name, value instanceof Secret && file ? value.from(file) : value];
  });
  return Object.fromEntries(entries) as C;
}

function valueOf(name: string, env: Environment, faults: string[]): string | undefined {
  const direct = env[name]?.trim();
  const file = env[`${name}_FILE`]?.trim();
  if (!file) return direct === '' ? undefined : direct;
  if (direct) faults.push(`${name}: both ${name} and ${name}_FILE are set; keep one`);
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    faults.push(`${name}_FILE: the file cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})`);
    return undefined;
  }
}

function explain(issue: z.core.$ZodIssue): string {
  const name = issue.path.join('.') || 'configuration';
  return `${name}: ${issue.code === 'invalid_type' && issue.input === undefined ? 'is required' : issue.message}`;
}
