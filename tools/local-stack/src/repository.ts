import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { StackError } from './stack-error.js';

/** Absolute path of the checkout that contains `from` (default: this file, built or not). Throws StackError outside of one. */
export function repositoryRoot(from = import.meta.dirname): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && nameOf(manifest) === 'tidegate') return folder;
    if (dirname(folder) === folder) throw new StackError(`${from} is not inside a Tidegate checkout.`);
  }
}

function nameOf(manifest: string): unknown {
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { name?: unknown }).name;
}

/** The Node that everything runs on: the pinned one from npm where it is installed, else the one that runs this. */
export function nodeProgram(): string {
  const pinned = join(repositoryRoot(), 'node_modules', '.bin', 'node');
  return existsSync(pinned) ? pinned : process.execPath;
}
