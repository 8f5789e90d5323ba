import { type Arena } from './arena.js';
import { type Random } from './seed.js';
import { type StoryLog } from './step.js';
import { type Kind, tellStory } from './story.js';

/** Brings a service to one of its failpoints, or tries to: another replica may be the one that gets there. */
export type Provocation = (arena: Arena, random: Random, log: StoryLog) => Promise<void>;

/** A story, in which one call meets a fault. */
export function story(kind: Kind, fault?: { fault: string; route: string }): Provocation {
  return async (arena, random, log) => {
    if (fault) await arena.fault({ ...fault, times: 1 });
    await tellStory(arena, random, log, kind);
  };
}
