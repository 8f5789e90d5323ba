import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { endLeftOver } from '../postgres/left-over.js';
import { removeOwnedFolder } from '../postgres/owned-folder.js';
import { repositoryRoot } from '../repository.js';
import { stopStack } from './stop.js';

/** `npm run reset`: stops the stack and deletes its data, its secrets and the receipts; downloads stay. */
export async function reset(): Promise<number> {
  const dir = join(repositoryRoot(), '.tidegate');
  if (!existsSync(dir)) {
    console.log('Nothing to reset.');
    return 0;
  }
  const stopped = await stopStack(dir);
  removeOwnedFolder(join(dir, 'postgres'));
  for (const home of readdirSync(dir).filter((name) => name.startsWith('test-postgres-'))) {
    await endLeftOver(join(dir, home, 'server', 'data'));
    removeOwnedFolder(join(dir, home, 'server'));
  }
  for (const entry of readdirSync(dir).filter((name) => name !== 'cache')) rmSync(join(dir, entry), { recursive: true, force: true });
  console.log(`${stopped} Data, logs and secrets in .tidegate are deleted.`);
  return 0;
}
