import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jetstream } from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import { paymentSubject } from '@tidegate/contracts/events/payment';
import { type ReceiptIssued, receiptIssued } from '@tidegate/contracts/events/receipt';
import { noPaymentDetails } from '@tidegate/contracts/rpc/payment-details';
import { type Database, openDatabase } from '@tidegate/database/database';
import { sql } from 'kysely';
import type { Broker } from '@tidegate/messaging/broker';
import { connectBroker } from '@tidegate/messaging/connection';
import { jsApi } from '@tidegate/messaging/js-api';
import { envelope } from '@tidegate/messaging/outbox';
import { POSITION_HEADER } from '@tidegate/messaging/position-header';
import { natsForTests, type TestNats } from '@tidegate/test-harness/nats';
import type { TestDatabase } from '@tidegate/test-harness/postgres';
import { DocumentLoop } from '../src/document/document.loop.js';
import { issueForPayment } from '../src/receipt/receipt.flow.js';
import { creditNoteId, receiptId } from '../src/receipt/receipt-id.js';
import { loadReceipts } from '../src/receipt/receipt.record.js';
import { recoverReceipts, type RecoveryParts } from '../src/recovery/recovery.flow.js';
import { TypstRenderer } from '../src/rendering/typst-renderer.js';
import { nextSequence } from '../src/receipt/receipt.store.js';
import type { Tables } from '../src/tables.js';
import { documentPorts } from './document-ports.js';
import { berlin, knowPayers, payment, succeeded } from './payments.js';
import { connect, receiptsDatabase, silent } from './receipts-database.js';

let database: TestDatabase;
let opened: Database<Tables>;
let nats: TestNats;
beforeAll(async () => {
  [database, nats] = await Promise.all([receiptsDatabase(), natsForTests()]);
  opened = connect(database);
});
afterAll(async () => {
  await opened.close();
  await database.drop();
  await nats.stop();
});

const now = new Date('2026-11-22T06:00:00.000Z');
const recover = (more: Partial<RecoveryParts> = {}) =>
  recoverReceipts({
    db: opened.db,
    broker: null,
    logger: silent,
    now,
    numberFormat: '{series}-{year}-{sequence:6}',
    publicUrl: null,
    sellers: [],
    upTo: {},
    operator: { actor: 'shell:ann', reason: 'INC-42' },
    ...more,
  });
const brokerAt = (servers: string) => connectBroker({ servers, name: 'receipts-recover', service: 'receipts', logger: silent });

/** RECEIPTS_EVENTS tells of it, and PAYMENTS_EVENTS has nothing (any more) of its payment. */
async function told(broker: Broker, issued: ReceiptIssued): Promise<void> {
  const nc = await broker.connection();
  for (const [name, subjects] of [
    ['RECEIPTS_EVENTS', 'receipts.events.>'],
    ['PAYMENTS_EVENTS', 'payments.events.>'],
  ] as const)
    await jsApi(nc, `STREAM.CREATE.${name}`, { name, subjects: [subjects], storage: 'memory' });
  const message = envelope(receiptIssued, { tenant: 'default', aggregateId: issued.receipt_id, aggregateVersion: 1, occurredAt: now, correlationId: 'cor', causationId: null, traceparent: null, data: issued }); // prettier-ignore
  await jetstream(nc).publish(receiptIssued.subject, JSON.stringify(message));
}

/** Nobody appends an event until `goOn`; `have` waits until so many wait, for this or for each other. */
async function holdEvents() {
  const [held, released] = [Promise.withResolvers<null>(), Promise.withResolvers<null>()];
  const admin = openDatabase<Tables>({ url: database.url, poolSize: 1, applicationName: 'spec' }, silent);
  const holder = admin.db
    .transaction()
    .execute(async (tx) => {
      await sql`LOCK TABLE receipts.events IN SHARE MODE`.execute(tx);
      held.resolve(null);
      await released.promise;
    })
    .finally(() => admin.close());
  await Promise.race([held.promise, holder]);
  return {
    async have(waiting: number): Promise<void> {
      for (;;) {
        const { rows } = await sql<{ count: number }>`
          SELECT count(*)::int AS count FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`.execute(
          opened.db,
        );
        if (rows[0]!.count >= waiting) return;
      }
    },
    async goOn(): Promise<void> {
      released.resolve(null);
      await holder;
    },
  };
}

describe('Receipt numbers after a restore', () => {
  it('that nobody has but somebody knows of are lost, once, however often they are recovered', async () => {
    const upTo = { 'acme/R/2026': 2 };
    expect(await recover({ upTo })).toEqual({ found: [], lost: ['acme R-2026-000001', 'acme R-2026-000002'], stream: 'not_asked' });
    expect(await recover({ upTo })).toEqual({ found: [], lost: [], stream: 'not_asked' });
    const { rows } = await sql`SELECT actor, action, reason, details FROM operator_actions`.execute(opened.db);
    const details = { found: 0, lost: ['R-2026-000001', 'R-2026-000002'], up_to: upTo };
    expect(rows).toEqual([{ actor: 'shell:ann', action: 'receipts.recover', reason: 'INC-42', details }]);
    const lost = await sql`SELECT tenant, series, year, number, recorded_at FROM lost_numbers ORDER BY sequence`.execute(opened.db);
    expect(lost.rows).toEqual(details.lost.map((number) => ({ tenant: 'acme', series: 'R', year: 2026, number, recorded_at: now })));
  });

  it('are lost once when two people recover them at the same time', async () => {
    const upTo = { 'acme/R/2027': 2 };
    const others = await holdEvents();
    const both = [recover({ upTo }), recover({ upTo })];
    try {
      await others.have(2);
    } finally {
      await others.goOn();
    }
    const lost = (await Promise.all(both)).map((one) => one.lost);
    expect(lost.toSorted((a, b) => a.length - b.length)).toEqual([[], ['acme R-2027-000001', 'acme R-2027-000002']]);
    const { rows } = await sql`SELECT sequence FROM lost_numbers WHERE year = 2027 ORDER BY sequence`.execute(opened.db);
    expect(rows).toEqual([{ sequence: 1 }, { sequence: 2 }]);
  });

  it('do not go back to where they were when the recovery began, whoever gives some meanwhile', async () => {
    const counter = { tenant: 'acme', series: 'R', year: 2028 };
    const others = await holdEvents();
    const recovered = recover({ upTo: { 'acme/R/2028': 2 } });
    await others.have(1);
    const given = nextSequence(opened.db, counter, now);
    try {
      await Promise.race([others.have(2), given]);
    } finally {
      await others.goOn();
    }
    await recovered;
    const numbers = [await given, await nextSequence(opened.db, counter, now)].map(({ sequence }) => sequence);
    expect(numbers).toEqual([3, 4]);
  });

  it('that are lost are found for an auditor without reading the events of all receipts', async () => {
    const plan = await opened.db.transaction().execute(async (tx) => {
      await sql`SET LOCAL enable_seqscan = off`.execute(tx);
      return (await sql<{ 'QUERY PLAN': string }>`EXPLAIN SELECT * FROM lost_numbers`.execute(tx)).rows.map((row) => row['QUERY PLAN']);
    });
    expect(plan.join('\n')).toContain('events_lost_numbers');
  });

  it('that are lost can only be read: the view is no way around the rights on the events', async () => {
    const changes = [
      'DELETE FROM lost_numbers',
      'UPDATE lost_numbers SET recorded_at = now()',
      'INSERT INTO lost_numbers (recorded_at) VALUES (now())',
    ];
    for (const change of changes)
      await expect(sql.raw(change).execute(opened.db)).rejects.toThrow('permission denied for view lost_numbers');
  });

  it('are not said to be none where the broker has no stream of them', async () => {
    const broker = await brokerAt(nats.url());
    try {
      expect(await recover({ broker })).toEqual({ found: [], lost: [], stream: 'not_there' });
    } finally {
      await broker.drain();
    }
  });

  it('come back with receipts that may have been mailed before, so that none is mailed by itself', async () => {
    const broker = await brokerAt(nats.url());
    const renderer = new TypstRenderer();
    try {
      const issued = {
        ...receiptIssued.example,
        payment_id: payment(7).payment_id,
        receipt_id: receiptId(payment(7).payment_id),
        sequence: 1,
      };
      await told(broker, issued);
      const paid_at = '2026-11-20T22:30:00.000Z';
      const place = headers();
      place.set(POSITION_HEADER, '1:1');
      const paid = succeeded(payment(7, { paid_at }));
      const nc = await broker.connection();
      await jetstream(nc).publish(paymentSubject('succeeded'), JSON.stringify(paid), { msgID: paid.id, headers: place });
      expect(await recover({ broker })).toMatchObject({ found: [`default ${issued.number}`], stream: 'read' });

      await knowPayers(opened.db, [payment(7)], { ...noPaymentDetails, receipt_email: 'payer7@example.com' });
      await new DocumentLoop({ ...documentPorts(opened, { clock: { now: () => now }, renderer }), mails: true }).runOnce();
      const row = await opened.db.selectFrom('receipts').select(['status', 'mail']).where('receipt_id', '=', issued.receipt_id).execute();
      expect(row).toEqual([{ status: 'rendered', mail: 'unknown' }]);
      const { rows } =
        await sql`SELECT data ->> 'happened_at' AS paid FROM events WHERE type = 'ReceiptIssued' AND data ->> 'receipt_id' = ${issued.receipt_id}`.execute(
          opened.db,
        );
      expect(rows).toEqual([{ paid: paid_at }]);
    } finally {
      await renderer.close();
      await broker.drain();
    }
  });

  it('come back with a credit note of an old payment, that says of mode and card what its receipt says', async () => {
    const broker = await brokerAt(nats.url());
    const old = payment(8, { livemode: true, card: { brand: 'visa', last4: '4242' } });
    try {
      const facts = await opened.db
        .transaction()
        .execute((tx) =>
          issueForPayment(tx, { payment: old, tenant: berlin, cause: succeeded(old), now, numberFormat: '{series}-{year}-{sequence}', template: 'receipt' }),
        ); // prettier-ignore
      const note = {
        ...receiptIssued.example,
        ...{ kind: 'credit_note' as const, series: 'CN', number: 'CN-2026-1', sequence: 1 },
        payment_id: old.payment_id,
        receipt_id: creditNoteId(old.payment_id, 're_1'),
        refers_to: { receipt_id: facts!.receipt_id, number: facts!.number },
        refund: { id: 're_1' },
      };
      await told(broker, note);
      expect(await recover({ broker })).toMatchObject({ found: ['default CN-2026-1'] });
      const { receipts } = await loadReceipts(opened.db, old.payment_id);
      expect(receipts.get(note.receipt_id)?.facts).toMatchObject({ livemode: true, card: old.card });
    } finally {
      await broker.drain();
    }
  });

  it('come back with a receipt of the mode that the others have, where nothing tells of its payment', async () => {
    const broker = await brokerAt(nats.url());
    const { payment_id } = payment(9);
    try {
      const { last } = await opened.db
        .selectFrom('counters')
        .select('last')
        .where('tenant', '=', 'default')
        .where('series', '=', 'R')
        .executeTakeFirstOrThrow();
      await told(broker, { ...receiptIssued.example, payment_id, receipt_id: receiptId(payment_id), number: 'R-9', sequence: last + 1 });
      expect(await recover({ broker })).toMatchObject({ found: ['default R-9'] });
      const { receipts } = await loadReceipts(opened.db, payment_id);
      expect(receipts.get(receiptId(payment_id))?.facts).toMatchObject({ livemode: true, card: null });
    } finally {
      await broker.drain();
    }
  });

  it('are not waited for for ever where no broker answers', async () => {
    const broker = await brokerAt('nats://127.0.0.1:1');
    try {
      await expect(recover({ broker, brokerAnswersWithinMs: 200 })).rejects.toThrow('does not answer within 0.2 s');
    } finally {
      await broker.drain();
    }
  });
});
