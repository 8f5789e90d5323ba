import { bench } from './commands/bench.js';
import { chaos } from './commands/chaos.js';
import { drill } from './commands/drill.js';
import { mutants } from './commands/mutants.js';
import { reset } from './commands/reset.js';
import { start } from './commands/start.js';
import { stop } from './commands/stop.js';
import { test } from './commands/test.js';
import { helpOf } from './commands/usage.js';
import { verify } from './commands/verify.js';
import { StackError, describeFailure } from './stack-error.js';

/** A command takes its arguments and resolves with the exit code. */
type Command = (args: readonly string[]) => Promise<number>;
const commands: Readonly<Record<string, Command>> = { start, stop, reset, test, verify, bench, chaos, drill, mutants };

// Whoever reads our output may be gone before us; that is no reason to leave processes behind.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

try {
  const [name = '', ...args] = process.argv.slice(2);
  const command = commands[name];
  if (command === undefined) throw new StackError(`There is no command "${name}"; there are ${Object.keys(commands).join(', ')}.`);
  const help = helpOf(name, args);
  if (help !== undefined) console.log(help);
  process.exit(help === undefined ? await command(args) : 0);
} catch (error) {
  console.error(describeFailure(error));
  process.exit(1);
}
