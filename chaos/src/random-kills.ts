import { setTimeout as pause } from 'node:timers/promises';
import { type Arena } from './arena.js';
import { randomFrom } from './seed.js';
import { type Surprise } from './step.js';
import { tellStories } from './story.js';

export interface KillReport {
  kills: Record<string, number>;
  created: number;
  surprises: Surprise[];
}

const VICTIMS = ['gateway', 'payments', 'webhooks', 'receipts', 'reconciliation'] as const;

/**
 * SIGKILLs replicas at seeded random instants while clients tell stories, each time starting the victim again. Instants and victims derive from
 * `seed`; what the operating system does in between does not, so a seed replays the plan, not every interleaving.
 */
export async function killAtRandom(
  arena: Arena,
  options: { seed: number; kills: number; perSecond: number; replicas: number },
): Promise<KillReport> {
  const random = randomFrom(options.seed);
  const over = new AbortController();
  const load = tellStories(arena, randomFrom(options.seed + 1), {
    count: Number.MAX_SAFE_INTEGER,
    perSecond: options.perSecond,
    signal: over.signal,
  });
  const kills: Record<string, number> = {};
  const restarts: Promise<void>[] = [];
  const down = new Set<string>();
  for (let done = 0; done < options.kills;) {
    await pause(50 + random.below(500));
    const name = random.pick(VICTIMS);
    const replica = 1 + random.below(options.replicas);
    const victim = `${name}-${replica}`;
    if (down.has(victim)) continue;
    done++;
    kills[name] = (kills[name] ?? 0) + 1;
    down.add(victim);
    await arena.stack.kill(name, replica);
    restarts.push(arena.stack.restart(name, replica).then(() => void down.delete(victim)));
  }
  await Promise.all(restarts);
  over.abort();
  const log = await load;
  return { kills, created: log.created.length, surprises: log.surprises };
}
