import { setTimeout as pause } from 'node:timers/promises';
import { realProduct } from '@tidegate/local-stack/stack/real-product';
import { type ServiceName, serviceNames } from '@tidegate/local-stack/stack/services';
import { type Arena } from './arena.js';
import { randomFrom } from './seed.js';
import { type Surprise } from './step.js';
import { EVERY_KIND, tellStories } from './story.js';

export interface DeployReport {
  /** Processes that were replaced by one of the other version. */
  replaced: number;
  created: number;
  requests: number;
  /** Each request that got no answer or one of 5xx: none is expected. */
  failed: string[];
  surprises: Surprise[];
}

/** Two replicas of each: while one is replaced the other carries on. */
export const REPLICAS = { gateway: 2, payments: 2, webhooks: 2, receipts: 2, reconciliation: 2 } as const;
/** As a shop's pool of workers: who waits for an answer asks nothing else, so that a machine that starts twenty processes is slow and not overrun. */
const CLIENTS = 6;
/** The versions run side by side for a while after each replacement. */
const SIDE_BY_SIDE_MS = 1_000;

/**
 * Migrates the database of an arena that runs the version before, then replaces its processes one by one, under load; with `andBack`, half of them are replaced by the
 * version before again, as when a deploy is taken back. A gateway that is replaced gets no new requests, as behind a balancer that asks `/readyz`.
 */
export async function deployOver(
  arena: Arena,
  {
    seed,
    perSecond,
    before,
    passwordOf,
  }: { seed: number; perSecond: number; before: (name: ServiceName) => string; passwordOf(role: string): string },
): Promise<DeployReport> {
  const over = new AbortController();
  const already = arena.client.statuses.length;
  const failedBefore = arena.client.failures.length;
  const random = randomFrom(seed + 1);
  const load = tellStories(arena, randomFrom(seed), {
    count: Number.MAX_SAFE_INTEGER,
    perSecond,
    atOnce: CLIENTS,
    signal: over.signal,
    next: () => random.pick(EVERY_KIND),
  });
  let replaced = 0;
  const replace = async (name: ServiceName, replica: number, program: string) => {
    const gateways = arena.stack.urls.gateway;
    if (name === 'gateway') arena.client.useOnly(gateways.filter((_, index) => index + 1 !== replica));
    await arena.stack.deploy(name, replica, program);
    arena.client.useOnly(gateways);
    replaced += 1;
    await pause(SIDE_BY_SIDE_MS);
  };
  try {
    await pause(SIDE_BY_SIDE_MS);
    await realProduct.migrate(arena.stack.databaseUrl(), passwordOf);
    await pause(SIDE_BY_SIDE_MS);
    for (const name of serviceNames) await replace(name, 1, realProduct.program(name));
    for (const name of serviceNames) await replace(name, 1, before(name));
    for (const replica of [1, 2]) for (const name of serviceNames) await replace(name, replica, realProduct.program(name));
  } finally {
    over.abort();
  }
  const log = await load;
  return {
    replaced,
    created: log.created.length,
    requests: arena.client.statuses.length - already,
    failed: arena.client.failures.slice(failedBefore),
    surprises: log.surprises,
  };
}
