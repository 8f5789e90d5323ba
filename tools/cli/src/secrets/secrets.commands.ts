import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { secretsFingerprint } from './fingerprint.command.js';

export function secretsCommands(program: Command, cli: Cli): void {
  secretsFingerprint(program.command('secrets').description('Which secrets are in use, without showing one'), cli);
}
