import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { removeCopiedBinaries } from '../postgres/binaries.js';
import { repositoryRoot } from '../repository.js';
import { clearFolder } from '../stack/clear-folder.js';
import { stopStack } from './stop.js';
import { refuseArguments } from './usage.js';

/** `npm run reset`: stops the stack and deletes its data, its secrets and the receipts. */
export async function reset(args: readonly string[]): Promise<number> {
  refuseArguments('npm run reset', args);
  const dir = join(repositoryRoot(), '.tidegate');
  if (!existsSync(dir)) {
    console.log('Nothing to reset.');
    return 0;
  }
  const stopped = await stopStack(dir);
  clearFolder(dir);
  // Tests that run right now may run the same copy.
  if (!readdirSync(dir).some((entry) => entry.startsWith('test-postgres-'))) removeCopiedBinaries();
  console.log(`${stopped} Data, logs and secrets in .tidegate are deleted.`);
  return 0;
}
