import { spawn, spawnSync } from 'node:child_process';
import { delimiter, join } from 'node:path';

/**
 * Runs the real program on the pinned Node and ends as it ends. Signals are passed on, and the program is told to stop when npm above us or we ourselves
 * disappear: the IPC channel, unused otherwise, closes with us.
 */
export async function handOver(root, main, args) {
  const bin = join(root, 'node_modules', '.bin');
  const child = spawn(join(bin, 'node'), ['--enable-source-maps', '--disable-warning=ExperimentalWarning', main, ...args], {
    cwd: root,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`, NODE_OPTIONS: '' },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  const watch = watchParent(() => child.kill('SIGTERM'));
  const { code, signal } = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve({ code, signal }));
  });
  clearInterval(watch);
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
}

/** npm does not end its scripts when it is killed itself, so we watch it; between it and us there may be a shell. */
function watchParent(onDeath) {
  if (process.env.npm_lifecycle_event === undefined) return undefined;
  const parent = process.ppid;
  const [name, grandparent] = describe(parent);
  const watched = /(^|\/)(da|ba|z|k)?sh$/.test(name) ? [parent, grandparent] : [parent];
  return setInterval(() => {
    if (process.ppid !== parent || !watched.every(isAlive)) onDeath();
  }, 1000);
}

/** Name and parent of a process. */
function describe(pid) {
  const { stdout } = spawnSync('ps', ['-o', 'ppid=,comm=', '-p', String(pid)], { encoding: 'utf8' });
  const [, parent = '1', name = ''] = /^\s*(\d+)\s+(.*?)\s*$/.exec(stdout ?? '') ?? [];
  return [name, Number(parent)];
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}
