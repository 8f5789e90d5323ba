import { Command } from 'commander';

/** The `tidegate` command: what an operator sees and does, over the REST interface. */
export function program(): Command {
  return new Command('tidegate').description('Operates Tidegate. Exit codes: 0 fine, 1 failed, 2 found something.');
}
