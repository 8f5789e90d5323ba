import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './repository.js';

export interface Licence {
  name: string;
  version: string;
  /** SPDX expression. */
  licence: string;
}

interface Locked {
  version?: string;
  license?: string;
  dev?: boolean;
  link?: boolean;
  os?: string[];
  cpu?: string[];
}

/** What may be in the product: licences that ask for no more than to be named. */
export const ALLOWED = ['MIT', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'MIT-0', 'Unlicense', 'MIT AND OFL-1.1'];

/**
 * The packages that go into the product, as the lockfile has them. A package's program for another platform comes without a licence in the lock; it has that of its
 * siblings.
 */
export function licences(root = repositoryRoot()): Licence[] {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: Record<string, Locked> };
  const installed = Object.entries(packages).filter(([path, { dev, link }]) => path.startsWith('node_modules/') && !dev && !link);
  const known = new Map(installed.map(([path, { license }]) => [nameOf(path), license]));
  return installed
    .map(([path, { version = '', license, os, cpu }]) => {
      const name = nameOf(path);
      return { name, version, licence: license ?? (os || cpu ? ofSiblings(name, known) : undefined) ?? 'unknown' };
    })
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.version < b.version ? -1 : 1));
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

const PLATFORM = /-(android|darwin|linux|win32|freebsd)-.*$/;

function ofSiblings(name: string, known: ReadonlyMap<string, string | undefined>): string | undefined {
  const family = name.replace(PLATFORM, '').replace(/^node-bin$/, 'node');
  for (const [other, licence] of known)
    if (licence !== undefined && (other === family || other.replace(PLATFORM, '') === family)) return licence;
  return undefined;
}
