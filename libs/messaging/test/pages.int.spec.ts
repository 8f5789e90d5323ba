import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { eventually } from '@tidegate/test-harness/eventually';
import { sql } from 'kysely';
import { listDeadLetters, replayDeadLetter } from '../src/dead-letters.js';
import { type InOrder, takeArrivals } from '../src/inbox-in-order.js';
import { type Arrival } from '../src/inbox-store.js';
import { type Handler, type Incoming, PermanentFailure } from '../src/subscriber.js';
import { stage } from '../src/outbox.js';
import { startProgram } from './support/child.js';
import { paged } from './support/paged.js';
import { type Member, messageOf, upTo, World } from './support/world.js';

jest.setTimeout(60_000);

const KEY = { consumer: 'reconciliation-payments', generation: 1 };

let world: World;
let payments: Awaited<ReturnType<World['owner']>>;
let own: Member;
beforeEach(async () => {
  world = await World.open();
  payments = await world.owner('payments');
  own = await world.member('reconciliation');
});
afterEach(() => world.close());

/** As one transaction, so that they are published, and come, as one page. */
async function publish(numbers: readonly number[], aggregateOf = (n: number) => `pay_${n % 10}`): Promise<void> {
  await payments.db.transaction().execute((tx) =>
    stage(
      tx,
      numbers.map((n) => messageOf('payments', aggregateOf(n), n)),
    ),
  );
  payments.relay.signal();
}

/** What the effects were, aggregate by aggregate, in their order. */
async function effects(): Promise<Record<string, number[]>> {
  const { rows } = await sql<{ aggregate: string; numbers: number[] }>`
    SELECT aggregate, array_agg(n ORDER BY id) AS numbers FROM effects GROUP BY aggregate`.execute(own.db);
  return Object.fromEntries(rows.map((row) => [row.aggregate, row.numbers]));
}

const inOrder = (numbers: readonly number[], aggregateOf = (n: number) => `pay_${n % 10}`): Record<string, number[]> => {
  const by: Record<string, number[]> = {};
  for (const n of numbers) (by[aggregateOf(n)] ??= []).push(n);
  return by;
};

/** How many messages were handled at a time. */
function counting(handler: Handler): { pages: number[]; handler: Handler } {
  const pages: number[] = [];
  const { handleAll } = handler;
  return { pages, handler: { ...handler, handleAll: (tx, messages) => (pages.push(messages.length), handleAll!(tx, messages)) } };
}

describe('Given a backlog of a projector', () => {
  it('its messages are stored and handled in one transaction, a page at a time, once and in order', async () => {
    await publish(upTo(300));
    await eventually(async () => expect(await head()).toBe(300));
    const { pages, handler } = counting(paged);
    const subscriber = await world.subscribe(own, KEY.consumer, handler);

    await eventually(async () => expect(await effects()).toEqual(inOrder(upTo(300))));
    expect(Math.max(...pages)).toBeGreaterThan(64);
    expect((await subscriber.watermark()).position).toBe(300);
    expect(await rowsBy('state')).toEqual({ done: 300 });
    expect(await lanes()).toBe(0);
    // Nothing is lost of what a row is for.
    const { rows } = await sql<{ n: number }>`
      SELECT (convert_from(bytes, 'UTF8')::jsonb #>> '{data,n}')::int AS n FROM inbox ORDER BY position`.execute(own.db);
    expect(rows.map((row) => row.n)).toEqual(upTo(300));
  });

  it('a poisonous message in the middle fails alone: what comes behind it in its lane waits, and all others are handled', async () => {
    await publish(upTo(100));
    await eventually(async () => expect(await head()).toBe(100));
    const poisonous = new Set([45]);
    await world.subscribe(own, KEY.consumer, refusing(poisonous));

    await eventually(async () => expect(await listDeadLetters(own.db)).toHaveLength(1));
    const others = upTo(100).filter((n) => n % 10 !== 5 || n < 45);
    await eventually(async () => expect(await effects()).toEqual(inOrder(others)));
    const [dead] = await listDeadLetters(own.db);
    expect(dead).toMatchObject({ aggregate: 'pay_5', reason: 'PermanentFailure: poison' });

    // More of that lane, in a page with others: it waits behind the dead one, they do not.
    await publish(upTo(140).slice(100));
    await eventually(async () => expect(await effects()).toEqual(inOrder(upTo(140).filter((n) => n % 10 !== 5 || n < 45))));
    poisonous.clear();
    await replayDeadLetter(own.db, KEY.consumer, dead!.message_id);
    await eventually(async () => expect(await effects()).toEqual(inOrder(upTo(140))));
  });

  it('one whose message kills its process comes back through the lanes, where it is found; all others are handled', async () => {
    await publish(upTo(40), (n) => `pay_${n}`);
    await eventually(async () => expect(await head()).toBe(40));
    const setting = { nats: world.nats.url('reconciliation'), database: world.database.urlFor('reconciliation'), poison: 23 };
    const dead = eventually(async () => expect(await listDeadLetters(own.db)).toHaveLength(1), { timeoutMs: 50_000, everyMs: 100 });
    let kills = 0;
    for (;;) {
      const child = startProgram(world, 'page.child.ts', setting);
      const outcome = await Promise.race([child.ended.then(() => 'killed'), dead.then(() => 'dead')]);
      if (outcome === 'dead') break;
      kills += 1;
      expect(kills).toBeLessThan(14);
    }
    // Once in its page, and then as often as any message may.
    expect(kills).toBe(9);
    await eventually(async () =>
      expect(await effects()).toEqual(
        inOrder(
          upTo(40).filter((n) => n !== 23),
          (n) => `pay_${n}`,
        ),
      ),
    );
  });

  it('a message that nothing can be read from is set aside, and no other counts twice for it', async () => {
    await payments.db.transaction().execute(async (tx) => {
      await sql`
        INSERT INTO outbox (message_id, aggregate, subject, bytes) VALUES (gen_random_uuid(), 'pay_0', 'payments.events.payment.succeeded.v1', 'null')`.execute(
        tx,
      );
      await stage(
        tx,
        upTo(20).map((n) => messageOf('payments', `pay_${n}`, n)),
      );
    });
    payments.relay.signal();
    await eventually(async () => expect(await head()).toBe(21));
    // As a projector that looks at the subject first.
    const readable = (messages: readonly Incoming[]) => messages.filter(({ envelope }) => (envelope as unknown) !== null);
    await world.subscribe(own, KEY.consumer, {
      ...paged,
      handleAll: async (tx, messages) => {
        await sql`SELECT 1`.execute(tx);
        await paged.handleAll(tx, readable(messages));
      },
    });
    await eventually(async () => expect(await rowsBy('state')).toEqual({ done: 20, dead: 1 }));
    expect(await effects()).toEqual(inOrder(upTo(20), (n) => `pay_${n}`));
  });

  it('killed with SIGKILL before a page commits, after it, and at its acknowledgement: each message counts once', async () => {
    const setting = { nats: world.nats.url('reconciliation'), database: world.database.urlFor('reconciliation') };
    let sent = 0;
    for (const failpoint of ['store.before_commit', 'store.after_commit', 'ack.before_call', 'ack.after_call']) {
      await publish(upTo(sent + 60).slice(sent));
      sent += 60;
      await eventually(async () => expect(await head()).toBe(sent));
      const { ended } = startProgram(world, 'page.child.ts', {
        ...setting,
        failpoint: `reconciliation.${KEY.consumer}.${failpoint}:kill:1`,
      });
      expect({ failpoint, signal: (await ended).signal }).toEqual({ failpoint, signal: 'SIGKILL' });
    }
    await world.subscribe(own, KEY.consumer, paged);
    await eventually(async () => expect(await effects()).toEqual(inOrder(upTo(sent))), { timeoutMs: 20_000 });
    expect(await rowsBy('state')).toEqual({ done: sent });
  });

  it('what waits in one lane goes together as well, once it may', async () => {
    await publish(upTo(300), () => 'pay_1');
    await eventually(async () => expect(await head()).toBe(300));
    let refused = false;
    const { pages, handler } = counting({
      ...paged,
      async handleAll(tx, messages) {
        if (refused) return paged.handleAll(tx, messages);
        refused = true;
        throw new Error('not now');
      },
    });
    await world.subscribe(own, KEY.consumer, handler);
    await eventually(async () => expect(await effects()).toEqual({ pay_1: upTo(300) }));
    expect(Math.max(...pages.slice(1))).toBeGreaterThan(64);
    expect(await rowsBy('state')).toEqual({ done: 300 });
    expect(await lanes()).toBe(0);
  });

  it('three processes share it, and still each message counts once and in order', async () => {
    await publish(upTo(2_000));
    for (const _ of upTo(3)) await world.subscribe(await world.member('reconciliation'), KEY.consumer, paged);
    await eventually(async () => expect(await effects()).toEqual(inOrder(upTo(2_000))), { timeoutMs: 30_000 });
    expect(await rowsBy('state')).toEqual({ done: 2_000 });
    expect(await lanes()).toBe(0);
  });
});

describe('Of what arrives in one page', () => {
  const arrival = (position: number, aggregate = `pay_${position % 10}`): Arrival => {
    const { subject, envelope } = messageOf('payments', aggregate, position);
    return { epoch: 1, position, messageId: envelope.id, subject, aggregate, bytes: Buffer.from(JSON.stringify(envelope)) };
  };
  /** Whose effect has stayed. */
  const effective = async (): Promise<number[]> => {
    const { rows } = await sql<{ n: number }>`SELECT n FROM effects ORDER BY id`.execute(own.db);
    return rows.map(({ n }) => n);
  };
  const take = async (arrivals: readonly Arrival[], changes: Partial<InOrder> = {}) => {
    const { watermark, ran } = await own.db.transaction().execute((tx) =>
      takeArrivals(tx, KEY, arrivals, {
        async run(rows) {
          for (const { messageId, position, aggregate } of rows)
            await sql`
              INSERT INTO effects (consumer, message_id, position, aggregate, n, worker)
              VALUES (${KEY.consumer}, ${messageId}, ${position}, ${aggregate}, ${position}, 'page')`.execute(tx);
        },
        ...changes,
      }),
    );
    return { watermark, ran: ran.map(({ position }) => position) };
  };
  beforeEach(async () => {
    await sql`INSERT INTO inbox_watermarks (consumer, generation, stream) VALUES (${KEY.consumer}, 1, 'PAYMENTS_EVENTS')`.execute(own.db);
  });

  it('only what follows without a hole takes effect; the rest waits, and so does its lane until it was handled', async () => {
    const all = upTo(8).map((n) => arrival(n, n < 7 ? `pay_${n % 2}` : 'pay_x'));
    expect(await take(all.filter((one) => one.position !== 3))).toEqual({ watermark: 2, ran: [1, 2] });
    // 3 fills the hole. Its lane has 5 waiting, which came before it, so that it has to go that way, too.
    expect(await take([all[2]!])).toEqual({ watermark: 8, ran: [] });
    expect(await rowsBy('state')).toEqual({ done: 2, pending: 6 });
    const { rows } = await sql`SELECT aggregate, position FROM inbox_lanes ORDER BY aggregate`.execute(own.db);
    expect(rows).toEqual([
      { aggregate: 'pay_0', position: 4 },
      { aggregate: 'pay_1', position: 3 },
      { aggregate: 'pay_x', position: 7 },
    ]);
    expect(await take([arrival(9, 'pay_0'), arrival(10, 'pay_y')])).toEqual({ watermark: 10, ran: [10] });
  });

  it('what comes twice takes effect once: in the page, below the watermark, and under a place of its own', async () => {
    const [one, two, three] = [arrival(1), arrival(2), arrival(3)];
    expect(await take([one!, two!, one!])).toEqual({ watermark: 2, ran: [1, 2] });
    expect(await take([two!, one!, three!])).toEqual({ watermark: 3, ran: [3] });
    // A message that the owner, restored, gave another place: it has had its effect.
    await sql`UPDATE inbox SET position = NULL WHERE position = 3`.execute(own.db);
    await sql`UPDATE inbox_watermarks SET position = 2`.execute(own.db);
    expect(await take([{ ...three!, position: 3 }, arrival(4)])).toEqual({ watermark: 4, ran: [] });
    expect(await rowsBy('state')).toEqual({ done: 3, pending: 1 });
    expect(await effective()).toEqual([1, 2, 3]);
  });

  it('all waits when the effect fails, and nothing of the effect stays', async () => {
    const run = async () => {
      throw new PermanentFailure('poison');
    };
    const failures: unknown[] = [];
    expect(
      await take(
        upTo(3).map((n) => arrival(n)),
        { run, failed: (error) => failures.push(error) },
      ),
    ).toEqual({ watermark: 3, ran: [] });
    expect(failures).toHaveLength(1);
    expect(await rowsBy('state')).toEqual({ pending: 3 });
  });

  it('two who have the same page: one waits for the other, and finds duplicates', async () => {
    const page = upTo(20).map((n) => arrival(n));
    const answers = await Promise.all([take(page), take(page)]);
    expect(answers.map(({ ran }) => ran.length).sort((a, b) => a - b)).toEqual([0, 20]);
    expect(answers.map(({ watermark }) => watermark)).toEqual([20, 20]);
    expect(await effective()).toEqual(page.map(({ position }) => position));
  });
});

async function head(): Promise<number> {
  const { rows } = await sql<{ published: number }>`SELECT published FROM outbox_state`.execute(payments.db);
  return rows[0]?.published ?? 0;
}

async function lanes(): Promise<number> {
  return (await sql<{ n: number }>`SELECT count(*) AS n FROM inbox_lanes`.execute(own.db)).rows[0]?.n ?? 0;
}

async function rowsBy(column: 'state'): Promise<Record<string, number>> {
  const { rows } = await sql<{ value: string; n: number }>`SELECT ${sql.id(column)} AS value, count(*) AS n FROM inbox GROUP BY 1`.execute(
    own.db,
  );
  return Object.fromEntries(rows.map((row) => [row.value, row.n]));
}

function refusing(poisonous: ReadonlySet<number>): Handler {
  const check = (n: unknown) => {
    if (poisonous.has((n as { n: number }).n)) throw new PermanentFailure('poison');
  };
  return {
    ...paged,
    handle: (tx, message, prepared) => (check(message.envelope.data), paged.handle(tx, message, prepared)),
    handleAll: async (tx, messages) => {
      await paged.handleAll(tx, messages);
      for (const message of messages) check(message.envelope.data);
    },
  };
}
