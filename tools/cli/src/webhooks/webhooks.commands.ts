import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { webhooksChangeReplay } from './change-replay.command.js';
import { webhooksEndpoints } from './endpoints.command.js';
import { webhooksList } from './list.command.js';
import { webhooksReplay } from './replay.command.js';
import { webhooksReplays } from './replays.command.js';
import { webhooksShow } from './show.command.js';
import { webhooksSweep } from './sweep.command.js';

export function webhooksCommands(program: Command, cli: Cli): void {
  const webhooks = program.command('webhooks').description("Stripe's events: what came, what became of it, and once more");
  webhooksList(webhooks, cli);
  webhooksShow(webhooks, cli);
  webhooksReplay(webhooks, cli);
  webhooksReplays(webhooks, cli);
  webhooksChangeReplay(webhooks, cli);
  webhooksSweep(webhooks, cli);
  webhooksEndpoints(webhooks, cli);
}
