import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '@tidegate/test-harness/eventually';
import { type Arena, openArena } from './arena.js';
import { inboxFaults } from './inboxes.js';
import { randomFrom } from './seed.js';
import { tellStories } from './story.js';

type Service = 'payments' | 'webhooks' | 'receipts' | 'reconciliation';
const SERVICES: readonly Service[] = ['payments', 'webhooks', 'receipts', 'reconciliation'];
const seed = Number(process.env['TIDEGATE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
let arena: Arena;

beforeAll(async () => {
  console.info(`seed ${seed} (TIDEGATE_SEED=${seed} repeats it)`);
  arena = await openArena();
}, 120_000);

afterAll(() => arena?.close(), 60_000);

/** Every failpoint that a running stack lists for a service. */
const failpointsOf = (service: Service): string[] =>
  (JSON.parse(readFileSync(join(arena.stack.dir, 'failpoints.json'), 'utf8')) as string[]).filter((name) => name.startsWith(`${service}.`));

/** Kills the service at one failpoint after the other, each time by the load that is running; names those that no load reached. */
async function killAtEach(service: Service): Promise<string[]> {
  const missed: string[] = [];
  for (const name of failpointsOf(service)) {
    await arena.stack.restart(service, 1, { TIDEGATE_FAILPOINT: `${name}:kill` }).catch(() => undefined);
    const exit = await within(20_000, arena.stack.exited(service, 1));
    if (exit?.signal !== 'SIGKILL') missed.push(name);
  }
  await arena.stack.restart(service, 1);
  return missed;
}

function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

describe('kill -9 at every failpoint of every service', () => {
  it('hits each of them, and ends in a record that equals the truth', async () => {
    const over = new AbortController();
    const load = tellStories(arena.client, randomFrom(seed), { count: Number.MAX_SAFE_INTEGER, perSecond: 6, signal: over.signal });
    const rounds = await Promise.allSettled(SERVICES.map(killAtEach));
    over.abort();
    const { surprises, created } = await load;
    const broken = rounds.flatMap((round) => (round.status === 'rejected' ? [String(round.reason)] : []));
    const missed = rounds.flatMap((round) => (round.status === 'fulfilled' ? round.value : []));
    expect(broken).toEqual([]);
    expect(missed).toEqual([]);
    expect(surprises).toEqual([]);
    expect(created.length).toBeGreaterThan(0);
    await arena.settled(90_000);
    await eventually(async () => expect(await inboxFaults(arena)).toEqual([]), { timeoutMs: 30_000 });
  }, 400_000);
});
