import { setTimeout as pause } from 'node:timers/promises';
import { eventually } from '@tidegate/test-harness/eventually';
import { StreamClient } from '@tidegate/test-harness/stream-client';
import { type Arena } from './arena.js';
import { randomFrom } from './seed.js';

export interface StreamReport {
  /** What the client was given. */
  events: number;
  kills: number;
  gatewaysKilled: number;
  /** Differences between what payments published and what the client was given; none when each event came once and in order. */
  faults: string[];
}

const REPLICAS = 2;
const CLIENTS = 12;
/** One in so many ends of the connection is the end of the gateway behind it. */
const GATEWAY_EVERY = 10;

interface Published {
  id: string;
  body: string;
}

/**
 * Follows the billing stream while payments are made, over connections that are killed and, now and then, gateways that are; the broker loses its store half way.
 * The victims derive from `seed`.
 */
export async function followUnderKills(arena: Arena, options: { seed: number; events: number; kills: number }): Promise<StreamReport> {
  const random = randomFrom(options.seed);
  let at = 1;
  const url = () => `${arena.stack.urls.gateway[(at = 1 + random.below(REPLICAS)) - 1]}/v1/billing/stream`;
  const client = new StreamClient({ url, headers: { authorization: `Bearer ${arena.stack.keys.default}` } });
  try {
    await eventually(() => started(client), { timeoutMs: 30_000 });
    const from = client.lastEventId ?? '';
    const load = makePayments(arena, options.seed);
    const restarts: Promise<void>[] = [];
    let gatewaysKilled = 0;
    for (let kills = 1; kills <= options.kills; kills += 1) {
      await eventually(() => reached(client, (kills * options.events) / (options.kills + 1)), { timeoutMs: 120_000 });
      if (kills === Math.ceil(options.kills / 2)) await loseTheBroker(arena);
      if (kills % GATEWAY_EVERY === 0) {
        await Promise.all(restarts);
        const replica = at;
        gatewaysKilled += 1;
        await arena.stack.kill('gateway', replica);
        restarts.push(arena.stack.restart('gateway', replica));
      }
      client.kill();
    }
    await eventually(() => reached(client, options.events), { timeoutMs: 120_000 });
    await Promise.all([load.stop(), ...restarts]);
    const faults = await differences(arena, client, from);
    return { events: client.events.length, kills: options.kills, gatewaysKilled, faults };
  } finally {
    client.stop();
  }
}

function started({ lastEventId, answers }: StreamClient): void {
  if (lastEventId === undefined) throw new Error(`The stream did not begin: ${answers.join(', ')}`);
}

function reached({ events }: StreamClient, count: number): void {
  if (events.length < count) throw new Error(`The client has ${events.length} of ${Math.ceil(count)} events`);
}

async function loseTheBroker({ stack }: Arena): Promise<void> {
  await stack.killNats();
  stack.wipeNats();
  await pause(500);
  await stack.startNats();
}

function makePayments(arena: Arena, seed: number): { stop(): Promise<void> } {
  let made = 0;
  let stopped = false;
  const workers = Array.from({ length: CLIENTS }, async () => {
    while (!stopped) {
      const body = { amount: 1000 + (made % 500), currency: 'usd', payment_method: 'pm_card_visa' };
      await arena.client.send({ method: 'POST', path: '/v1/payments', key: `stream-${seed}-${made++}`, body });
    }
  });
  return {
    async stop() {
      stopped = true;
      await Promise.all(workers);
    },
  };
}

/**
 * What payments has published for the tenant from there to its present head, against what the client was given of that. The client's id comes up to the head, whoever the
 * last events were for: heartbeats carry it.
 */
async function differences(arena: Arena, client: StreamClient, from: string): Promise<string[]> {
  const [epoch] = from.split(':');
  const [state] = await arena.sql<{ head: number }>('SELECT head::int AS head FROM payments.outbox_state');
  const head = state?.head ?? 0;
  await eventually(() => told(client, head), { timeoutMs: 60_000 });
  const published = await arena.sql<Published>(
    `SELECT $1 || ':' || position AS id, convert_from(bytes, 'UTF8') AS body FROM payments.outbox
     WHERE position > $2 AND position <= $3 AND convert_from(bytes, 'UTF8')::jsonb ->> 'tenant' = 'default' ORDER BY position`,
    [epoch, positionOf(from), head],
  );
  const given = client.events.filter(({ id }) => positionOf(id) <= head);
  const faults = published.flatMap(({ id, body }, index) => {
    if (given[index]?.id !== id) return [`Event ${index}: ${given[index]?.id ?? 'nothing'} in the place of ${id}`];
    return given[index].data === body ? [] : [`${id}: other bytes`];
  });
  return given.length > published.length ? [...faults, `${given.length - published.length} too many`] : faults;
}

const positionOf = (id: string | undefined): number => Number(id?.split(':')[1]);

function told({ lastEventId }: StreamClient, head: number): void {
  if (!(positionOf(lastEventId) >= head)) throw new Error(`The client is at ${lastEventId}, payments at ${head}`);
}
