import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { usageMissingCounters } from './missing-counters.command.js';
import { usageRepair } from './repair.command.js';
import { usageStaleCounters } from './stale-counters.command.js';

export function usageCommands(program: Command, cli: Cli): void {
  const usage = program.command('usage').description("Usage, and whether Stripe's meters have it");
  usageMissingCounters(usage, cli);
  usageStaleCounters(usage, cli);
  usageRepair(usage, cli);
}
