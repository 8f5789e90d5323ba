import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { endLeftOver } from '../postgres/left-over.js';
import { until } from '../process/until.js';
import { type ListedProcess } from './process-list.js';
import { commandOf } from './supervisor-file.js';

/** Ends what `stack.json` of that folder lists and still runs though its supervisor is gone. Returns the names of what it ended. */
export async function endLeftOvers(dir: string): Promise<string[]> {
  const ended: string[] = [];
  for (const { name, replica, pid } of listed(dir)) {
    if (name === 'postgres' || pid === null || !(await isOurs(pid, name))) continue;
    process.kill(pid, 'SIGKILL');
    await until(
      async () => {
        if (await isOurs(pid, name)) throw new Error('it still runs');
      },
      { what: `${name} of an earlier run (process ${pid}) to end`, timeoutMs: 5000 },
    );
    ended.push(`${name}-${replica}`);
  }
  await endLeftOver(join(dir, 'postgres', 'data'));
  return ended;
}

function listed(dir: string): ListedProcess[] {
  try {
    return JSON.parse(readFileSync(join(dir, 'stack.json'), 'utf8')) as ListedProcess[];
  } catch {
    return [];
  }
}

/** Whether that pid still is the process that was listed, and not somebody else's that came after it. */
async function isOurs(pid: number, name: string): Promise<boolean> {
  const command = await commandOf(pid);
  if (name === 'nats') return command.includes('nats-server');
  return command.includes(name === 'simulator' ? 'stripe-simulator/dist/main.js' : `services/${name}/bundle/main.js`);
}
