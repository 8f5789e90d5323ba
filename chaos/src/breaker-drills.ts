import { setTimeout as pause } from 'node:timers/promises';
import { type Arena } from './arena.js';
import { type Random } from './seed.js';

const EVERY_MS = 5_000;
const FOR_MS = 600;
/** Each fourth time writes are held back long enough to see whether any comes through. */
const LONG_EACH = 4;
const LONG_MS = 3_000;

/** Operators hold back all writes, or all reads, for a moment now and then. Answers how often. */
export async function drillBreakers({ client }: Arena, random: Random, over: AbortSignal): Promise<number> {
  const act = (name: string, action: 'isolate' | 'close') =>
    client.send({ method: 'POST', path: `/v1/ops/breakers/${name}/${action}`, body: { reason: 'chaos: a drill' } });
  for (let drills = 0; ; drills++) {
    await pause(EVERY_MS / 2 + random.below(EVERY_MS), undefined, { signal: over }).catch(() => undefined);
    if (over.aborted) return drills;
    const isLong = drills % LONG_EACH === 1;
    const name = isLong ? 'stripe' : random.pick(['stripe', 'stripe_reads']);
    await act(name, 'isolate');
    await pause(isLong ? LONG_MS : FOR_MS);
    await act(name, 'close');
  }
}
