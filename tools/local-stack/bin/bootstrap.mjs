#!/usr/bin/env node
// What `npm start`, `npm test` and the other commands begin with. It runs on the machine's own Node, before anything is installed, so it is plain
// JavaScript without dependencies: check the machine, install, build, then hand over to the real program on the pinned Node.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './build.mjs';
import { checkMachine } from './check-machine.mjs';
import { handOver } from './hand-over.mjs';
import { install } from './install.mjs';
import { Refusal } from './refusal.mjs';

const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..', '..', '..');
const main = join(root, 'tools', 'local-stack', 'dist', 'main.js');
const [command = 'start', ...args] = process.argv.slice(2);

/** Programs that say themselves what they take. */
const OWN_HELP = { chaos: join('chaos', 'dist', 'main.js'), mutants: join('chaos', 'dist', 'mutants.js') };
const isBuilt = () => [main, join(root, OWN_HELP[command] ?? '.')].every((file) => existsSync(file));

try {
  checkMachine(root);
  // To stop must work when a build does not, and what a command takes is asked by somebody who waits for it.
  const takesLastBuild = ['stop', 'reset'].includes(command) || args.some((one) => one === '--help' || one === '-h');
  if (!takesLastBuild || !isBuilt()) {
    await install(root);
    await build(root);
  }
  await handOver(root, main, [command, ...args]);
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
