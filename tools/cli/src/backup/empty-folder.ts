import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { Failure } from '../exit.js';
import { isUnfinished } from './dump-format.js';

/**
 * Makes a folder for its owner alone, and those above it that are missing; an empty one may be there. Throws a Failure where it is not empty or none can be made. Not by
 * `recursive` of Node, which tries for ever where a folder is there but takes none, as /proc.
 */
export function makeEmptyFolder(folder: string): void {
  makeFolder(folder);
  if (readdirSync(folder).length === 0) return;
  const why = isUnfinished(folder) ? 'holds a backup that was not finished: delete it, or name another folder' : 'is not empty';
  throw new Failure('backup.not_empty', `${folder} ${why}.`);
}

function makeFolder(folder: string): void {
  try {
    return void mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
    if (code !== 'ENOENT') throw error;
  }
  const parent = dirname(folder);
  if (existsSync(parent)) throw new Failure('backup.no_folder', `${folder} cannot be made: ${parent} takes no folders.`);
  makeFolder(parent);
  makeFolder(folder);
}
