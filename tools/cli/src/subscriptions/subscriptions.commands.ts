import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { subscriptionsGiveUp } from './give-up.command.js';
import { subscriptionsPending } from './pending.command.js';
import { subscriptionsResolve } from './resolve.command.js';

export function subscriptionsCommands(program: Command, cli: Cli): void {
  const subscriptions = program.command('subscriptions').description('Requests about subscriptions that have no certain outcome yet');
  subscriptionsPending(subscriptions, cli);
  subscriptionsResolve(subscriptions, cli);
  subscriptionsGiveUp(subscriptions, cli);
}
