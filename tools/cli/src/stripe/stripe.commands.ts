import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { stripeCheck } from './check.command.js';
import { stripeSetup } from './setup.command.js';

export function stripeCommands(program: Command, cli: Cli): void {
  const stripe = program.command('stripe').description('The way to Stripe');
  stripeCheck(stripe, cli);
  stripeSetup(stripe, cli);
}
