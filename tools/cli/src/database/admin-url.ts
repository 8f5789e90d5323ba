import { readFileSync } from 'node:fs';
import { Failure } from '../exit.js';
import type { Terminal } from '../terminal.js';

/** A setting of the environment, or what stands in the file that `NAME_FILE` names; undefined when there is neither. Throws a Failure for a file that cannot be read. */
export function givenIn(env: Terminal['env'], name: string): string | undefined {
  const given = env[name]?.trim();
  const file = env[`${name}_FILE`]?.trim();
  if (given || !file) return given || undefined;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new Failure('settings.missing', `${name}_FILE cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}

/** The same for what must be there. */
export function fromEnvironment({ env }: Pick<Terminal, 'env'>, name: string): string {
  const given = givenIn(env, name);
  if (given === undefined)
    throw new Failure('settings.missing', `${name} is not set: this works on the stores themselves, beside a gateway that may not run.`);
  return given;
}

/** The database as its owner: an administrator who may create roles. */
export function adminUrl(terminal: Pick<Terminal, 'env'>): string {
  const url = fromEnvironment(terminal, 'DATABASE_URL');
  if (!URL.canParse(url)) throw new Failure('settings.invalid', 'DATABASE_URL must be a URL such as postgres://owner:…@host/tidegate.');
  return url;
}

/**
 * The password of a service's login role, from the very setting that the service has: `PAYMENTS_DATABASE_URL` is the DATABASE_URL of payments. So a password
 * stands in one secret and not in two.
 */
export function rolePassword(terminal: Pick<Terminal, 'env'>, role: string): string {
  const name = `${role.toUpperCase()}_DATABASE_URL`;
  const text = fromEnvironment(terminal, name);
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || decodeURIComponent(url.username) !== role || url.password === '')
    throw new Failure('settings.invalid', `${name} must be the DATABASE_URL of ${role}: postgres://${role}:…@…`);
  return decodeURIComponent(url.password);
}
