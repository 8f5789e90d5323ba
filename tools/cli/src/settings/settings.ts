import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseEnv } from 'node:util';
import { Failure } from '../exit.js';
import type { Terminal } from '../terminal.js';

/** Which Tidegate, and as whom. */
export interface Settings {
  url: string;
  key: string;
  /** The environment, or the file that they came from. */
  from: string;
}

const LOCAL = join('.tidegate', 'local.env');

/**
 * TIDEGATE_URL and TIDEGATE_API_KEY (or TIDEGATE_API_KEY_FILE) from the environment, else both from the nearest `.tidegate/local.env` upward. Never one from
 * here and one from there: a key must not reach another gateway than it was meant for. Throws a Failure that says what is missing.
 */
export function findSettings({ env, cwd }: Pick<Terminal, 'env' | 'cwd'>): Settings {
  const url = env['TIDEGATE_URL']?.trim() ?? '';
  const key = keyOf(env);
  if (url !== '' || key !== '') return checked({ url, key, from: 'the environment' });
  const file = localFile(cwd);
  if (file === undefined)
    throw new Failure(
      'settings.missing',
      `Which Tidegate? Set TIDEGATE_URL and TIDEGATE_API_KEY, or start the local stack (npm start), whose ${LOCAL} is then found from its folder.`,
    );
  const local = parseEnv(readFileSync(file, 'utf8'));
  return checked({ url: local['TIDEGATE_URL'] ?? '', key: local['TIDEGATE_API_KEY'] ?? '', from: file });
}

/** One more variable of the place where the settings come from, such as TIDEGATE_WEBHOOKS_URL; undefined when it is not there. */
export function findVariable({ env, cwd }: Pick<Terminal, 'env' | 'cwd'>, name: string): string | undefined {
  const given = env[name]?.trim();
  if (given) return given;
  if (env['TIDEGATE_URL']?.trim()) return undefined;
  const file = localFile(cwd);
  return file === undefined ? undefined : parseEnv(readFileSync(file, 'utf8'))[name];
}

/** The nearest `.tidegate/local.env` of this folder or one above it. */
export function localFile(cwd: string): string | undefined {
  for (let folder = cwd; ; folder = dirname(folder)) {
    const file = join(folder, LOCAL);
    if (existsSync(file)) return file;
    if (dirname(folder) === folder) return undefined;
  }
}

function keyOf(env: Terminal['env']): string {
  const direct = env['TIDEGATE_API_KEY']?.trim();
  const file = env['TIDEGATE_API_KEY_FILE']?.trim();
  if (direct || !file) return direct ?? '';
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new Failure('settings.missing', `TIDEGATE_API_KEY_FILE cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
}

function checked(settings: Settings): Settings {
  const missing = [settings.url === '' ? 'TIDEGATE_URL' : '', settings.key === '' ? 'TIDEGATE_API_KEY' : ''].filter((name) => name !== '');
  if (missing.length > 0) throw new Failure('settings.missing', `${missing.join(' and ')} is missing in ${settings.from}.`);
  if (!URL.canParse(settings.url) || !/^https?:$/.test(new URL(settings.url).protocol))
    throw new Failure('settings.invalid', `TIDEGATE_URL in ${settings.from} must be a URL such as https://tidegate.example.com.`);
  // No header takes it, and what fetch says of that has the key in it.
  if (!/^[\x21-\x7e]+$/.test(settings.key))
    throw new Failure('settings.invalid', `TIDEGATE_API_KEY in ${settings.from} must be one key, without spaces and line breaks.`);
  return { ...settings, url: settings.url.replace(/\/+$/, '') };
}
