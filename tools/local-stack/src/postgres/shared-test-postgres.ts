import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../process/free-port.js';
import { repositoryRoot } from '../repository.js';
import { type PostgresBinaries, postgresBinaries } from './binaries.js';
import { withFolderLock } from '../process/folder-lock.js';
import { endLeftOver } from './left-over.js';
import { removeOwnedFolder } from './owned-folder.js';
import { ping } from './ping.js';
import { PostgresCluster } from './postgres-cluster.js';
import { templateDataFolder } from './template.js';
import { unprivilegedUser } from './unprivileged-user.js';

interface State {
  url: string;
  pid: number;
}

export interface SharedTestPostgres {
  /** URL of the administrator. */
  url: string;
  /** Folder for what its users have to agree on, such as locks. */
  home: string;
}

/** Names of databases that belong to one test file begin with this. */
export const throwAwayPrefix = 'test_';

/**
 * The one PostgreSQL server that all test processes of a checkout share, started by whoever needs it first. It outlives
 * its starter: every user leaves a lease (a file named by its pid) and a guard stops the server a minute after the last of them has ended.
 */
export async function sharedTestPostgres(): Promise<SharedTestPostgres> {
  const binaries = await postgresBinaries(unprivilegedUser());
  const home = sharedHome(binaries.major);
  mkdirSync(join(home, 'leases'), { recursive: true });
  return withFolderLock(join(home, 'lock'), async () => {
    writeFileSync(join(home, 'leases', String(process.pid)), '');
    const running = await runningServer(home);
    if (running !== undefined) return { url: running.url, home };
    const state = await startServer(home, binaries);
    writeFileSync(join(home, 'state.json'), JSON.stringify(state), { mode: 0o600 });
    return { url: state.url, home };
  });
}

/** Gives this process's lease back; the server stops at once when nobody else holds one, so that a finished test run leaves no process. */
export async function releaseSharedTestPostgres(): Promise<void> {
  const { major } = await postgresBinaries(unprivilegedUser());
  rmSync(join(sharedHome(major), 'leases', String(process.pid)), { force: true });
  rmSync(join(sharedHome(major), 'patience'), { force: true });
}

/** Whether the shared server of that home runs. */
export function isInUse(home: string): boolean {
  return existsSync(join(home, 'server', 'data', 'postmaster.pid'));
}

function sharedHome(major: number): string {
  return join(repositoryRoot(), '.tidegate', `test-postgres-${major}`);
}

async function runningServer(home: string): Promise<State | undefined> {
  try {
    const state = JSON.parse(readFileSync(join(home, 'state.json'), 'utf8')) as State;
    process.kill(state.pid, 0);
    await ping(state.url);
    return state;
  } catch {
    return undefined;
  }
}

/** Always from an empty server: it costs a second, and nothing of an earlier run can be in the way. */
async function startServer(home: string, binaries: PostgresBinaries): Promise<State> {
  await endLeftOver(join(home, 'server', 'data'));
  removeOwnedFolder(join(home, 'server'));
  const cluster = await PostgresCluster.prepare({
    folder: join(home, 'server'),
    port: await freePort(),
    log: join(home, 'postgres.log'),
    fsync: false,
    maxConnections: 500,
    binaries,
    template: await templateDataFolder(binaries, unprivilegedUser()),
  });
  await cluster.start();
  const pid = cluster.release();
  startGuard(home, pid);
  return { url: cluster.url(), pid };
}

/** A plain shell, so that it needs nothing that may be rebuilt or removed while it lives. `patience` holds the seconds to wait without leases. */
const guard = `
cd "$1" || exit 1
idle=0
echo 60 > patience
while kill -0 "$2" 2>/dev/null; do
  sleep 1
  for lease in leases/*; do [ -e "$lease" ] && ! kill -0 "\${lease#leases/}" 2>/dev/null && rm -f "$lease"; done
  if [ -n "$(ls leases)" ]; then idle=0; echo 60 > patience; continue; fi
  idle=$((idle + 1))
  if [ $idle -ge "$(cat patience 2>/dev/null || echo 0)" ] && mkdir lock 2>/dev/null; then
    echo $$ > lock/pid
    [ -n "$(ls leases)" ] || kill -INT "$2" 2>/dev/null
    while [ -z "$(ls leases)" ] && kill -0 "$2" 2>/dev/null; do sleep 0.1; done
    rm -rf lock
  fi
done
`;

function startGuard(home: string, pid: number): void {
  spawn('/bin/sh', ['-c', guard, 'guard', home, String(pid)], { stdio: 'ignore', detached: true, cwd: '/' }).unref();
}
