import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { removeOwnedFolder } from '../postgres/owned-folder.js';
import { isInUse } from '../postgres/shared-test-postgres.js';
import { repositoryRoot } from '../repository.js';
import { stopStack } from './stop.js';

/** `npm run reset`: stops the stack and deletes its data, its secrets and the receipts. Downloads stay, and so does a database that tests use right now. */
export async function reset(): Promise<number> {
  const dir = join(repositoryRoot(), '.tidegate');
  if (!existsSync(dir)) {
    console.log('Nothing to reset.');
    return 0;
  }
  const stopped = await stopStack(dir);
  removeOwnedFolder(join(dir, 'postgres'));
  for (const entry of readdirSync(dir)) {
    if (entry === 'cache' || (entry.startsWith('test-postgres-') && isInUse(join(dir, entry)))) continue;
    removeOwnedFolder(join(dir, entry, 'server'));
    rmSync(join(dir, entry), { recursive: true, force: true });
  }
  console.log(`${stopped} Data, logs and secrets in .tidegate are deleted.`);
  return 0;
}
