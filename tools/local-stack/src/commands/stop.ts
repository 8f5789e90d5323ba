import { join } from 'node:path';
import { until } from '../process/until.js';
import { repositoryRoot } from '../repository.js';
import { endLeftOvers } from '../stack/left-overs.js';
import { currentSupervisor, unclaim } from '../stack/supervisor-file.js';
import { refuseArguments } from './usage.js';

/** `npm stop`: ends the stack of this checkout, whoever started it, and what a crashed supervisor has left behind. */
export async function stop(args: readonly string[]): Promise<number> {
  refuseArguments('npm stop', args);
  console.log(await stopStack(join(repositoryRoot(), '.tidegate')));
  return 0;
}

/** Returns what there was to stop, as a sentence. */
export async function stopStack(dir: string): Promise<string> {
  const supervisor = await currentSupervisor(dir);
  if (supervisor !== undefined) {
    process.kill(supervisor.pid, 'SIGTERM');
    await until(
      async () => {
        if ((await currentSupervisor(dir)) !== undefined) throw new Error(`process ${supervisor.pid} still runs`);
      },
      { what: 'the stack to stop', timeoutMs: 60_000 },
    );
  }
  const ended = await endLeftOvers(dir);
  unclaim(dir);
  if (supervisor === undefined && ended.length === 0) return 'Nothing runs.';
  return ended.length === 0 ? 'Stopped.' : `Stopped, and ended what an earlier run had left: ${ended.join(', ')}.`;
}
