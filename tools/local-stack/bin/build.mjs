import { delimiter, join } from 'node:path';
import { runQuietly } from './run-quietly.mjs';

/** Builds every package whose sources have changed; Nx remembers the others. */
export async function build(root) {
  const bin = join(root, 'node_modules', '.bin');
  await runQuietly('Build', join(bin, 'node'), [join(bin, 'nx'), 'run-many', '-t', 'build', 'bundle', '--outputStyle=static'], {
    cwd: root,
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`, NX_DAEMON: 'false', NX_TUI: 'false', NODE_OPTIONS: '' },
  });
}
