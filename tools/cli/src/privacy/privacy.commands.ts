import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { privacyErase } from './erase.command.js';

export function privacyCommands(program: Command, cli: Cli): void {
  const privacy = program.command('privacy').description('What is known about persons');
  privacyErase(privacy, cli);
}
