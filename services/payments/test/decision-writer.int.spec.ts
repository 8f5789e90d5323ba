import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Failpoints, failpointsFrom, noFailpoints } from '@tidegate/database/failpoints';
import { type Database, openDatabase } from '@tidegate/database/database';
import { createLogger } from '@tidegate/telemetry/logger';
import { postgresForTests, type TestDatabase } from '@tidegate/test-harness/postgres';
import { eventually } from '@tidegate/test-harness/eventually';
import { sql } from 'kysely';
import { type Decision, DecisionWriter } from '../src/payment/decision-writer.js';
import { type PaymentEvent } from '../src/payment/payment.events.js';
import { decided, load, type Loaded, nothingLoaded, PaymentMoved } from '../src/payment/payment.store.js';
import { writeDecisions } from '../src/payment/write-decisions.js';
import { requestFailpoints } from '../src/failpoints.js';
import { type PaymentsTables } from '../src/tables.js';
import { type Held } from '../src/work/work.store.js';
import { accepted, terms } from './given.js';

const logger = createLogger({ service: 'payments', level: 'silent' });
const metadata = { correlation_id: 'spec', causation_id: null, actor: 'spec', traceparent: null };
const intentRecorded = (id: string): PaymentEvent[] => [{ type: 'IntentRecorded', data: { intent_id: `pi_${id}` } }];

let database: TestDatabase;
let opened: Database<PaymentsTables>;

beforeEach(async () => {
  database = await postgresForTests();
  opened = openDatabase<PaymentsTables>({ url: database.urlFor('payments'), poolSize: 10, applicationName: 'decision-spec' }, logger);
});
afterEach(async () => {
  await opened.close();
  await database.drop();
});

const writerWith = (failpoints: Failpoints = noFailpoints) => new DecisionWriter({ db: opened.db, failpoints });

/** A decision about a payment that stands as `before` says. */
function decision(id: string, before: Loaded, events: readonly PaymentEvent[], along: Partial<Decision> = {}): Decision {
  const { rows } = decided({ paymentId: id, before, events, now: new Date(), metadata });
  return { name: 'payments.create.intent_recorded', ...rows, ...along };
}

function birth(id: string, along: Partial<Decision> = {}): Decision {
  const claim = {
    scope: { tenant: 'default', route: 'POST /v1/payments', key: `key-${id}` },
    request_hash: 'hash',
    command_id: `cmd_${id}`,
    payment_id: id,
    request_id: `req_${id}`,
    details: { description: `of ${id}` },
    now: new Date(),
    holder: `holder-${id}`,
  };
  return decision(id, nothingLoaded, accepted({ ...terms(), payment_id: id }), { name: 'payments.create.accept', claim, ...along });
}

const lease = (id: string, revision = 0): Held => ({
  payment_id: id,
  holder: `holder-${id}`,
  revision,
  attempt: 0,
  due_at: new Date(),
  refresh: false,
  woken: null,
  takenOver: false,
});
const reply = { status: 201, content_type: 'application/json', headers: {}, body: '{}', encoding: 'utf8' as const };
const outcomes = async (work: Promise<unknown>[]) =>
  (await Promise.allSettled(work)).map((one) => (one.status === 'fulfilled' ? 'written' : (one.reason as Error).constructor.name));

async function traces(id: string) {
  const { rows } = await sql<Record<string, number | null>>`
    SELECT (SELECT count(*) FROM payments WHERE id = ${id}) AS payments,
      (SELECT count(*) FROM events WHERE stream = ${`payment:${id}`}) AS events,
      (SELECT count(*) FROM outbox WHERE aggregate = ${id}) AS outbox,
      (SELECT count(*) FROM idempotency_keys WHERE payment_id = ${id}) AS keys,
      (SELECT count(*) FROM idempotency_keys WHERE payment_id = ${id} AND status IS NOT NULL) AS answers,
      (SELECT count(*) FROM request_details WHERE payment_id = ${id}) AS details,
      (SELECT count(*) FROM payment_work WHERE payment_id = ${id}) AS work`.execute(opened.db);
  return rows[0];
}
const WHOLE = { payments: 1, events: 2, outbox: 1, keys: 1, answers: 0, details: 1, work: 1 };
const NOTHING = { payments: 0, events: 0, outbox: 0, keys: 0, answers: 0, details: 0, work: 0 };

async function transactions(work: () => Promise<unknown>): Promise<number> {
  const commits = async () => {
    const { rows } = await sql<{ n: string }>`SELECT count(DISTINCT xmin::text) AS n FROM payments`.execute(opened.db);
    return Number(rows[0]?.n);
  };
  const before = await commits();
  await work();
  return (await commits()) - before;
}

describe('When decisions about different payments come together', () => {
  it('commits them in one transaction, each whole', async () => {
    const ids = Array.from({ length: 20 }, (_, i) => `pay_${i}`);
    const writer = writerWith();
    const commits = await transactions(async () => {
      const committed = await Promise.all(ids.map((id) => writer.write(birth(id))));
      expect(committed).toEqual(ids.map(() => ({ lease: { held: true, revision: 0, refresh: false }, more: false })));
    });
    expect(commits).toBe(1);
    for (const id of ids) expect(await traces(id)).toEqual(WHOLE);
  });

  it('leaves out the one that no longer stands, with all that came along with it', async () => {
    const writer = writerWith();
    const ids = ['pay_a', 'pay_stale', 'pay_b'];
    await Promise.all(ids.map((id) => writer.write(birth(id))));
    const before = new Map(await Promise.all(ids.map(async (id) => [id, await load(opened.db, id)] as const)));
    const next = (id: string, along: Partial<Decision> = {}) => decision(id, before.get(id)!, intentRecorded(id), along);
    await writer.write(next('pay_stale'));

    const along = (id: string) => ({ answers: new Map([[`cmd_${id}`, reply]]), ended: lease(id) });
    const results = await outcomes(ids.map((id) => writer.write(next(id, along(id)))));

    expect(results).toEqual(['written', 'PaymentMoved', 'written']);
    expect(await traces('pay_a')).toMatchObject({ events: 3, answers: 1, work: 0 });
    expect(await traces('pay_b')).toMatchObject({ events: 3, answers: 1, work: 0 });
    expect(await traces('pay_stale')).toMatchObject({ events: 3, answers: 0, work: 1 });
  });

  it('gives each a statement of its own when the common one fails', async () => {
    const writer = writerWith();
    const broken = birth('pay_broken');
    const results = await outcomes([
      writer.write(birth('pay_a')),
      writer.write({ ...broken, row: { ...broken.row, amount: 0 } }),
      writer.write(birth('pay_b')),
    ]);
    expect(results).toEqual(['written', 'DatabaseError', 'written']);
    expect([await traces('pay_a'), await traces('pay_broken'), await traces('pay_b')]).toEqual([WHOLE, NOTHING, WHOLE]);
  });

  it('writes the others when the events of one are there without its row', async () => {
    const writer = writerWith();
    await writer.write(birth('pay_lost'));
    await forget('pay_lost');
    expect(await outcomes(['pay_a', 'pay_lost', 'pay_b'].map((id) => writer.write(birth(id))))).toEqual([
      'written',
      'PaymentMoved',
      'written',
    ]);
  });

  it('writes the others when a message of one is too large for the broker', async () => {
    const writer = writerWith();
    const large = birth('pay_large');
    const messages = large.messages.map((one) => ({ ...one, envelope: { ...one.envelope, data: 'x'.repeat(256 * 1024) } }));
    const results = await outcomes([birth('pay_a'), { ...large, messages }, birth('pay_b')].map((one) => writer.write(one)));
    expect(results).toEqual(['written', 'Error', 'written']);
    expect(await traces('pay_large')).toEqual(NOTHING);
  });

  it('writes one of two about one payment, and the other finds that it has moved', async () => {
    const writer = writerWith();
    const [first, second, other] = await outcomes(['pay_a', 'pay_a', 'pay_b'].map((id) => writer.write(birth(id))));
    expect([[first, second].toSorted(), other]).toEqual([['PaymentMoved', 'written'], 'written']);
    expect(await traces('pay_a')).toEqual(WHOLE);
  });

  it('does not let one that waits for a lock hold up what comes after it', async () => {
    const writer = writerWith();
    await Promise.all([writer.write(birth('pay_locked')), writer.write(birth('pay_a'))]);
    const [locked, free] = [await load(opened.db, 'pay_locked'), await load(opened.db, 'pay_a')];
    const order: string[] = [];
    let waiting: Promise<unknown> | undefined;
    await opened.db.transaction().execute(async (tx) => {
      await tx.selectFrom('payments').select('id').where('id', '=', 'pay_locked').forUpdate().execute();
      waiting = writer.write(decision('pay_locked', locked, intentRecorded('locked'))).then(() => order.push('locked'));
      await eventually(async () => expect(await statementsAtALock()).toBe(1));
      await writer.write(decision('pay_a', free, intentRecorded('a')));
      order.push('free');
    });
    await waiting;
    expect(order).toEqual(['free', 'locked']);
  });
});

describe('When as many as may run at once wait for locks', () => {
  it('the next one runs after a while all the same', async () => {
    const writer = writerWith();
    const ids = ['pay_1', 'pay_2', 'pay_3', 'pay_4'];
    await Promise.all([...ids, 'pay_free'].map((id) => writer.write(birth(id))));
    const next = async (id: string) => decision(id, await load(opened.db, id), intentRecorded(id));
    const unlocks: (() => Promise<void>)[] = [];
    const waiting: Promise<unknown>[] = [];
    for (const id of ids) {
      const decided = await next(id);
      unlocks.push(await lockPayment(id));
      waiting.push(writer.write(decided));
      await eventually(async () => expect(await statementsAtALock()).toBe(unlocks.length));
    }

    await writer.write(await next('pay_free'));
    expect(await statementsAtALock()).toBe(ids.length);
    await Promise.all(unlocks.map((unlock) => unlock()));
    await Promise.all(waiting);
  });
});

describe('When two processes write the same new payments in different orders', () => {
  it('neither locks the other out', async () => {
    const [a, m, z] = ['pay_a', 'pay_m', 'pay_z'].map((id) => birth(id)) as [Decision, Decision, Decision];
    let both: Promise<unknown[]> | undefined;
    const rolledBack = opened.db.transaction().execute(async (tx) => {
      await writeDecisions(tx, [m]);
      const first = writeDecisions(opened.db, [z, m, a]);
      await eventually(async () => expect(await statementsAtALock()).toBe(1));
      const second = writeDecisions(opened.db, [a, z]);
      both = Promise.all([first, second]);
      await eventually(async () => expect(await statementsAtALock()).toBe(2));
      throw new Error('rolled back');
    });
    await expect(rolledBack).rejects.toThrow('rolled back');
    expect(await both).toMatchObject([
      [{ gone: false }, { gone: false }, { gone: false }],
      [null, null],
    ]);
  });
});

/** Locks the row of a payment; answers how to free it. */
async function lockPayment(id: string): Promise<() => Promise<void>> {
  const [locked, free] = [Promise.withResolvers<true>(), Promise.withResolvers<true>()];
  const done = opened.db.transaction().execute(async (tx) => {
    await tx.selectFrom('payments').select('id').where('id', '=', id).forUpdate().execute();
    locked.resolve(true);
    await free.promise;
  });
  await locked.promise;
  return () => (free.resolve(true), done);
}

async function statementsAtALock(): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`.execute(opened.db);
  return rows[0]!.n;
}

/** Only the events stay. */
async function forget(id: string): Promise<void> {
  const admin = openDatabase<PaymentsTables>({ url: database.url, poolSize: 1, applicationName: 'spec' }, logger);
  await sql`DELETE FROM payments.payments WHERE id = ${id}`.execute(admin.db);
  await sql`DELETE FROM payments.idempotency_keys WHERE payment_id = ${id}`.execute(admin.db);
  await admin.close();
}

describe('When decisions of one kind come again and again', () => {
  it('has their statement planned once', async () => {
    const one = openDatabase<PaymentsTables>({ url: database.urlFor('payments'), poolSize: 1, applicationName: 'planned-spec' }, logger);
    const writer = new DecisionWriter({ db: one.db, failpoints: noFailpoints });
    for (let n = 0; n < 5; n += 1) await writer.write(birth(`pay_${n}`));
    const { rows } = await sql<{ statement: string }>`
      SELECT statement FROM pg_prepared_statements WHERE statement LIKE '%born AS%'`.execute(one.db);
    await one.close();
    expect(rows).toHaveLength(1);
  });
});

describe('When what is there does not fit together', () => {
  it('writes no payment whose key belongs to nothing', async () => {
    await sql`
      INSERT INTO idempotency_keys (tenant, route, key, request_hash, command_id, payment_id, request_id, created_at)
      VALUES ('default', 'POST /v1/payments', 'key-pay_a', 'hash', 'cmd_pay_a', 'pay_a', 'req', now())`.execute(opened.db);
    await expect(writerWith().write(birth('pay_a'))).rejects.toThrow('an idempotency key is there without its payment');
    expect(await traces('pay_a')).toEqual({ ...NOTHING, keys: 1 });
  });

  it('takes events without their row for a payment that has moved', async () => {
    const writer = writerWith();
    await writer.write(birth('pay_a'));
    await forget('pay_a');
    await expect(writer.write(birth('pay_a'))).rejects.toThrow(PaymentMoved);
  });
});

describe('When a run ends while somebody wishes for more', () => {
  it('keeps the row of work, without its holder, and says so', async () => {
    const writer = writerWith();
    await writer.write(birth('pay_a'));
    await sql`UPDATE payment_work SET revision = revision + 1`.execute(opened.db);
    const before = await load(opened.db, 'pay_a');
    expect(await writer.write(decision('pay_a', before, intentRecorded('a'), { ended: lease('pay_a') }))).toEqual({
      lease: null,
      more: true,
    });
    const rows = await opened.db.selectFrom('payment_work').select(['holder', 'revision']).execute();
    expect(rows).toEqual([{ holder: null, revision: 1 }]);
  });
});

describe('When a failpoint is armed', () => {
  const known = requestFailpoints.create;

  it('fails before the commit with nothing written', async () => {
    const failing = writerWith(failpointsFrom('payments.create.accept.before_commit:error:1', known, logger));
    expect(await outcomes([failing.write(birth('pay_a'))])).toEqual(['FailpointError']);
    expect(await traces('pay_a')).toEqual(NOTHING);
  });

  it('fails after the commit with everything written', async () => {
    const failing = writerWith(failpointsFrom('payments.create.accept.after_commit:error:1', known, logger));
    expect(await outcomes([failing.write(birth('pay_a')), failing.write(birth('pay_b'))])).toEqual(['FailpointError', 'written']);
    expect([await traces('pay_a'), await traces('pay_b')]).toEqual([WHOLE, WHOLE]);
  });
});
