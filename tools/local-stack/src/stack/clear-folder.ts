import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { removeOwnedFolder } from '../postgres/owned-folder.js';
import { isInUse } from '../postgres/shared-test-postgres.js';

/** Deletes what a stopped stack and finished tests have left in a folder. Downloads (`cache`) stay, and a database that tests use right now. */
export function clearFolder(dir: string): void {
  removeOwnedFolder(join(dir, 'postgres'));
  for (const entry of readdirSync(dir)) {
    const path = join(dir, entry);
    const ofTests = entry.startsWith('test-postgres-');
    if (entry === 'cache' || (ofTests && isInUse(path))) continue;
    if (ofTests) removeOwnedFolder(join(path, 'server'));
    rmSync(path, { recursive: true, force: true });
  }
}
