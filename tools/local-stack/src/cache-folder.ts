import { accessSync, constants, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot } from './repository.js';

/** Where downloads are kept between checkouts: `$XDG_CACHE_HOME/tidegate`, by default `~/.cache/tidegate`, or `.tidegate/cache` when that cannot be written. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const base = env['XDG_CACHE_HOME'];
  const preferred = join(base !== undefined && base.startsWith('/') ? base : join(env['HOME'] ?? homedir(), '.cache'), 'tidegate');
  return isWritable(preferred) ? preferred : madeInCheckout();
}

function isWritable(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function madeInCheckout(): string {
  const folder = join(repositoryRoot(), '.tidegate', 'cache');
  mkdirSync(folder, { recursive: true });
  return folder;
}
