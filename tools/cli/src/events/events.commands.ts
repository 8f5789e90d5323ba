import type { Command } from 'commander';
import type { Cli } from '../cli.js';
import { eventsList } from './list.command.js';
import { eventsReplay } from './replay.command.js';
import { eventsShow } from './show.command.js';
import { eventsChanges } from './change.command.js';

export function eventsCommands(program: Command, cli: Cli): void {
  const events = program.command('events').description("Consumers' tables, made anew from their events");
  eventsReplay(events, cli);
  eventsList(events, cli);
  eventsShow(events, cli);
  eventsChanges(events, cli);
}
