import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { customerErased } from '@tidegate/contracts/events/customer';
import { envelope } from '@tidegate/messaging/outbox';
import { type Handler, type Incoming, PermanentFailure } from '@tidegate/messaging/subscriber';
import { sql } from 'kysely';
import { erasureConsumer } from '../src/erasure/erasure.consumer.js';
import { Erasure } from '../src/erasure/erasure.loop.js';
import { type Due, eraseEvents, looked, nextDue } from '../src/erasure/erasure.store.js';
import { deliver, listener, normalizer, openWorkbench, silent, stripeEvent, type Workbench } from './workbench.js';

const HOUR_MS = 3_600_000;

let bench: Workbench;
let app: ReturnType<typeof listener>;
let now = new Date();
const clock = { now: () => now };
let woken = 0;

beforeAll(async () => {
  bench = await openWorkbench();
  app = listener(bench);
}, 60_000);
afterAll(async () => {
  await app.close();
  await bench.close();
});

const consumer = () =>
  erasureConsumer({ clock, erased: () => (woken += 1), others: { handle: () => Promise.reject(new Error('not for them')) } });
const told = (customer: string, data: object = { customer, erased_at: now.toISOString(), livemode: false }) =>
  ({
    subject: customerErased.subject,
    envelope: envelope(customerErased.subject, {
      ...{
        tenant: 'default',
        aggregateId: customer,
        aggregateVersion: 1,
        occurredAt: now,
        correlationId: 'cor',
        causationId: null,
        traceparent: null,
        data,
      },
    }),
  }) as Incoming;
async function erase(customer: string, erasedAt = now): Promise<void> {
  const message = told(customer, { customer, erased_at: erasedAt.toISOString(), livemode: false });
  await bench.db.transaction().execute((tx) => consumer().handle(tx, message, null));
  consumer().afterCommit?.(message);
}
const loop = async () => {
  while ((await new Erasure({ db: bench.db, clock, logger: silent }).runOnce()) > 0);
};
const publish = async () => {
  while ((await normalizer(bench).runOnce()) > 0);
};

/** An event about a person, delivered. */
async function delivered(who: string, object: Record<string, unknown> = {}): Promise<string> {
  const about = { customer: `cus_${who}`, receipt_email: `${who}@example.com`, description: `for ${who}`, ...object };
  const event = stripeEvent({}, about);
  expect((await deliver(app, event)).statusCode).toBe(200);
  return event['id'] as string;
}
const stored = async (id: string) => {
  const row = await bench.db
    .selectFrom('stripe_events')
    .select(['payload', 'published_at'])
    .where('stripe_event_id', '=', id)
    .executeTakeFirstOrThrow();
  return row.payload.toString();
};

describe('Erasures among other messages', () => {
  it('are noted, and the others handed on together', async () => {
    const together: string[][] = [];
    const others: Handler = {
      projector: true,
      handle: () => Promise.reject(new Error('one by one')),
      handleAll: (_tx, messages) => Promise.resolve(void together.push(messages.map(({ subject }) => subject))),
    };
    const subjects = ['payments.events.payment.created.v1', 'payments.events.payment.succeeded.v1'];
    const [first, second] = subjects.map((subject) => ({ subject }) as Incoming);
    await bench.db
      .transaction()
      .execute((tx) => erasureConsumer({ clock, erased: () => undefined, others }).handleAll!(tx, [first!, told('cus_among'), second!]));
    expect(together).toEqual([subjects]);
    expect(await bench.db.selectFrom('erased_customers').select('customer').where('customer', '=', 'cus_among').execute()).toHaveLength(1);
  });

  it('have none handed on together to who takes them one by one', () => {
    expect(consumer().handleAll).toBeUndefined();
  });
});

describe('When payments has erased a customer', () => {
  it('takes what is about a person out of every event about that customer, and leaves all others as they came', async () => {
    const payment = await delivered('grace');
    const charge = await delivered('grace', { object: 'charge', id: 'ch_grace', billing_details: { name: 'grace' } });
    const other = await delivered('kay');
    await publish();
    const untouched = await stored(other);
    await erase('cus_grace');
    expect(woken).toBe(1);
    await loop();
    for (const id of [payment, charge]) {
      expect(await stored(id)).not.toMatch(/grace@|for grace|"grace"/);
      expect(JSON.parse(await stored(id))).toMatchObject({ id, data: { object: { metadata: { tenant_id: 'default' } } } });
    }
    expect(await stored(other)).toBe(untouched);
  });

  it('does so with events that come later, too', async () => {
    now = new Date(now.getTime() + 30 * 24 * HOUR_MS);
    const late = await delivered('grace', { object: 'charge', id: 'ch_late' });
    await publish();
    await loop();
    expect(await stored(late)).not.toMatch(/grace@|for grace|"grace"/);
  });

  it('does so with an event that is published while the others are looked at', async () => {
    await delivered('edith');
    await publish();
    await erase('cus_edith');
    await loop();
    now = new Date(now.getTime() + 2 * HOUR_MS);
    await erase('cus_edith');
    const due = await nextDue(bench.db, now);
    expect(await eraseEvents(bench.db, 'cus_edith', '', 100)).not.toBeNull();
    const meanwhile = await delivered('edith');
    await publish();
    await looked(bench.db, due as Due, null);
    await loop();
    expect(await stored(meanwhile)).not.toContain('edith@');
  });

  it('does so with an event that was being published in that moment', async () => {
    const event = await delivered('alan');
    await bench.db.transaction().execute(async (tx) => {
      await sql`UPDATE stripe_events SET published_at = clock_timestamp(), customer = 'cus_alan' WHERE stripe_event_id = ${event}`.execute(
        tx,
      );
      await erase('cus_alan');
      await loop();
    });
    expect(await stored(event)).toContain('alan@example.com');
    now = new Date(now.getTime() + HOUR_MS);
    await loop();
    expect(await stored(event)).not.toContain('alan@example.com');
  });

  it('does so with such an event, too, when the news was long on its way or comes a second time', async () => {
    for (const [who, hoursOld] of [
      ['mary', 3],
      ['mary', 0],
    ] as const) {
      const event = await delivered(who);
      await bench.db.transaction().execute(async (tx) => {
        await sql`UPDATE stripe_events SET published_at = clock_timestamp(), customer = ${`cus_${who}`} WHERE stripe_event_id = ${event}`.execute(
          tx,
        );
        await erase(`cus_${who}`, new Date(now.getTime() - hoursOld * HOUR_MS));
        await loop();
      });
      now = new Date(now.getTime() + HOUR_MS);
      await loop();
      expect(await stored(event)).not.toContain('mary@example.com');
      now = new Date(now.getTime() + 24 * HOUR_MS);
    }
  });

  describe.each(['dispute', 'refund', 'payment_method'])('and events of a %s, which name no customer', (object) => {
    const who = `${object.replace('_', '')}er`;
    const evidence = {
      object,
      customer: null,
      payment_intent: undefined as string | undefined,
      evidence: { customer_name: `named ${who}` },
    };
    /** Of a payment; what is no part of one is known by its own id. */
    const of = (payment: string) =>
      object === 'payment_method'
        ? { naming: { object, id: `pm_${payment}` }, nameless: { ...evidence, id: `pm_${payment}` } }
        : {
            naming: { id: payment, payment_intent: payment },
            nameless: { ...evidence, id: `${object}_${payment}`, payment_intent: payment },
          };

    it.each([
      ['after the payment', ['naming', 'nameless']],
      ['before the payment', ['nameless', 'naming']],
    ] as const)('%s', async (_, order) => {
      const payment = `pi_${who}_${order[0]}`;
      const ids: string[] = [];
      for (const kind of order) {
        ids.push(await delivered(who, of(payment)[kind]));
        await publish();
      }
      await erase(`cus_${who}`);
      await loop();
      for (const id of ids) expect(await stored(id)).not.toMatch(/named |for |@example/);
    });

    it('that come when all else is long erased', async () => {
      const payment = `pi_${who}_late`;
      const early = await delivered(who, of(payment).nameless);
      await publish();
      now = new Date(now.getTime() + 24 * HOUR_MS);
      await loop();
      expect(await stored(early)).toContain(`named ${who}`);
      const naming = await delivered(who, of(payment).naming);
      await publish();
      const late = await delivered(who, of(payment).nameless);
      await publish();
      await loop();
      for (const id of [early, naming, late]) expect(await stored(id)).not.toMatch(/named |for |@example/);
    });
  });

  it('does so with a dispute of a payment whose events the version before has published', async () => {
    await delivered('ivy', { id: 'pi_ivy', payment_intent: 'pi_ivy' });
    await publish();
    await sql`UPDATE published_versions SET customer = NULL WHERE aggregate = 'pi_ivy'`.execute(bench.db);
    const dispute = await delivered('ivy', { object: 'dispute', id: 'du_ivy', customer: undefined, payment_intent: 'pi_ivy' });
    await publish();
    await erase('cus_ivy');
    await loop();
    expect(await stored(dispute)).not.toContain('ivy@example.com');
  });

  it('leaves those of others as they came', async () => {
    const [one, other] = ['pi_one', 'pi_other'];
    for (const payment of [one, other]) await delivered(`payer-of-${payment}`, { id: payment, payment_intent: payment });
    const disputes = [];
    for (const payment of [one, other])
      disputes.push(await delivered('x', { object: 'dispute', id: `du_${payment}`, customer: undefined, payment_intent: payment }));
    await publish();
    await erase(`cus_payer-of-${one}`);
    await loop();
    expect([await stored(disputes[0]!), await stored(disputes[1]!)]).toEqual([
      expect.not.stringContaining('x@example.com'),
      expect.stringContaining('x@example.com'),
    ]);
  });

  it('notes no payment of somebody who is no customer', async () => {
    await bench.db.deleteFrom('nameless_events').execute();
    for (const object of ['payment_intent', 'charge', 'checkout.session']) await delivered('guest', { object, customer: null });
    await publish();
    expect(await bench.db.selectFrom('nameless_events').selectAll().execute()).toEqual([]);
  });

  it('does so in batches, and again from the start when it died between two', async () => {
    for (let n = 0; n < 3; n += 1) await delivered('ken');
    await publish();
    await sql`INSERT INTO stripe_events (stripe_event_id, created, event_type, livemode, payload, source, published_at, customer)
      SELECT stripe_event_id || '_' || n, created, event_type, livemode, payload, source, published_at, customer
      FROM stripe_events, generate_series(1, 70) AS n WHERE customer = 'cus_ken'`.execute(bench.db);
    await erase('cus_ken');
    const dying = new Erasure({ db: bench.db, clock, logger: silent });
    await expect(dying.runOnce(() => { throw new Error('died'); })).rejects.toThrow('died'); // prettier-ignore
    const named = async () => {
      const { rows } = await sql<{ n: number }>`
        SELECT count(*)::int AS n FROM stripe_events WHERE position(convert_to('ken@example.com', 'UTF8') IN payload) > 0`.execute(
        bench.db,
      );
      return rows[0]?.n;
    };
    expect(await named()).toBe(113);
    await loop();
    expect(await named()).toBe(0);
  });

  it('sets aside what names no customer', async () => {
    const work = bench.db.transaction().execute((tx) => consumer().handle(tx, told('cus_x', { customer: 7 }), null));
    await expect(work).rejects.toThrow(PermanentFailure);
  });
});
