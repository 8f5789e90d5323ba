import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { keysCreate } from './create.command.js';
import { keysList } from './list.command.js';
import { keysRevoke } from './revoke.command.js';
import { keysRotate } from './rotate.command.js';

export function keysCommands(program: Command, cli: Cli): void {
  const keys = program.command('keys').description('API keys: a key is shown once, when it is made');
  keysCreate(keys, cli);
  keysRotate(keys, cli);
  keysRevoke(keys, cli);
  keysList(keys, cli);
}
