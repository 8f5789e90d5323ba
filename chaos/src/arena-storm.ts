import { setTimeout as delay } from 'node:timers/promises';
import { API_VERSION } from '@tidegate/stripe-gateway/adapter';
import { sign } from '@tidegate/stripe-gateway/signature';
import { eventually } from '@tidegate/test-harness/eventually';
import { type Arena } from './arena.js';
import { atStripe } from './at-stripe.js';
import { eventStorm, type StormReport } from './event-storm.js';
import { type KnownObject, OBJECT_TRUTH, objectFaults, type ObjectTruth } from './object-truth.js';
import { type Random } from './seed.js';

type Event = { id: string } & Record<string, unknown>;

/** The storm over a whole Tidegate. The simulator's own deliveries are all dropped; ours go to the replicas of webhooks in turn. `say` hears of every twentieth of it. */
export async function stormOver(arena: Arena, random: Random, events: number, say: (line: string) => void): Promise<StormReport> {
  const { simulator, webhooks } = arena.stack.urls;
  const { secretKey, webhookSecret } = arena.stack.stripe;
  await arena.fault({ fault: 'webhook_drop', times: 0 });
  let newest: string | undefined;
  let [deliveries, said] = [0, 0];
  return eventStorm(
    {
      at: atStripe(simulator, secretKey),
      newEvents: async () => {
        const fresh = await eventsAfter(simulator, secretKey, newest);
        newest = fresh.at(-1)?.id ?? newest;
        return fresh.map((event) => JSON.stringify({ ...event, api_version: API_VERSION }));
      },
      between: async (soFar) => {
        if (soFar.events < said + events / 20) return;
        said = soFar.events;
        say(`  ${soFar.events} of ${events} events happened, ${soFar.deliveries} deliveries answered`);
      },
      deliver: (body) => deliver(`${webhooks[(deliveries += 1) % webhooks.length]}/webhooks/stripe`, body, webhookSecret),
    },
    random,
    events,
  );
}

/** Resolves when reconciliation knows every object as Stripe has it. */
export async function objectsKnown(arena: Arena, withinMs: number): Promise<number> {
  return arena.inHaste(() =>
    eventually(
      async () => {
        const truth = await fetch(`${arena.stack.urls.simulator}/__truth?only=${OBJECT_TRUTH.join(',')}`);
        const known = await arena.sql<KnownObject>(
          `SELECT object_id, object, status, payment_intent, amount::float8, amount_captured::float8, amount_refunded::float8 FROM reconciliation.stripe_objects`,
        );
        const faults = objectFaults((await truth.json()) as ObjectTruth, known);
        if (faults.length > 0)
          throw new Error(`${faults.length} objects are known otherwise than Stripe has them:\n${faults.slice(0, 20).join('\n')}`);
        return known.length;
      },
      { timeoutMs: withinMs, everyMs: 2000 },
    ),
  );
}

/** Oldest first. Stripe's pages before a cursor are those next to it. */
async function eventsAfter(url: string, key: string, after: string | undefined): Promise<Event[]> {
  const found: Event[] = [];
  for (let cursor = after; ;) {
    const query = new URLSearchParams({ limit: '100', ...(cursor === undefined ? {} : { ending_before: cursor }) });
    const answer = await fetch(`${url}/v1/events?${query}`, { headers: { authorization: `Bearer ${key}` } });
    const page = (await answer.json()) as { data: Event[]; has_more: boolean };
    if (after === undefined) return everything(url, key, page);
    found.push(...page.data.toReversed());
    cursor = found.at(-1)?.id ?? cursor;
    if (!page.has_more) return found;
  }
}

async function everything(url: string, key: string, first: { data: Event[]; has_more: boolean }): Promise<Event[]> {
  const found = [...first.data];
  for (let page = first; page.has_more;) {
    const answer = await fetch(`${url}/v1/events?limit=100&starting_after=${found.at(-1)?.id}`, {
      headers: { authorization: `Bearer ${key}` },
    });
    page = (await answer.json()) as { data: Event[]; has_more: boolean };
    found.push(...page.data);
  }
  return found.reverse();
}

/** Like Stripe: what is answered 503 comes again. */
async function deliver(url: string, body: string, secret: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const headers = {
      'content-type': 'application/json',
      'stripe-signature': sign(Buffer.from(body), secret, Math.floor(Date.now() / 1000)),
    };
    const answer = await fetch(url, { method: 'POST', body, headers });
    await answer.arrayBuffer();
    if (answer.ok) return;
    if (answer.status !== 503 || attempt === ATTEMPTS) throw new Error(`A delivery was answered ${answer.status}`);
    await delay(1000 * attempt);
  }
}

const ATTEMPTS = 10;
