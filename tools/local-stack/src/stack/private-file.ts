import { renameSync, writeFileSync } from 'node:fs';

/** Replaces a file in one step, so that readers see the old or the new text; only its owner may read it. */
export function writePrivately(file: string, text: string): void {
  const unfinished = `${file}.part`;
  writeFileSync(unfinished, text, { mode: 0o600 });
  renameSync(unfinished, file);
}
