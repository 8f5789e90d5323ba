import { createHash } from 'node:crypto';
import type { Db } from '@tidegate/database/database';
import { WrongExpectedVersion } from '@tidegate/event-store/append';
import { readAll } from '@tidegate/event-store/read';
import type { Broker } from '@tidegate/messaging/connection';
import { rebuild } from '@tidegate/messaging/rebuild';
import type { Handler, Incoming } from '@tidegate/messaging/subscriber';
import type { Clock } from '@tidegate/service-host/clock';
import type { Logger } from '@tidegate/telemetry/logger';
import { type Kysely, sql, type Transaction } from 'kysely';
import { ERASED, erasePayer } from '../payer/payer-erasure.js';
import type { Tables } from '../tables.js';
import { keptTenant } from '../tenant/tenant-copy.js';
import { issueForPayment } from './receipt.flow.js';
import { PAYMENTS_CONSUMER, project } from './receipt.store.js';
import { paymentIn, SUCCEEDED } from './receipts-payments.consumer.js';

export interface RebuildPorts {
  db: Kysely<Tables>;
  broker: Broker;
  clock: Clock;
  logger: Logger;
  numberFormat: string;
}

/**
 * Makes what was dropped, replays every event of payments in a new generation, which issues the receipts that are missing and no other, and fills `receipts` anew from
 * the receipts' own events in the transaction that makes the generation the live one. Documents are rendered again by the loop or on read.
 */
export async function replayAndRebuild(ports: RebuildPorts): Promise<{ replayed: number; events: number }> {
  await createDroppedTables(ports.db);
  let events = 0;
  const { sources } = await rebuild({
    db: ports.db as Db,
    broker: ports.broker,
    logger: ports.logger,
    service: 'receipts',
    sources: [{ durable: PAYMENTS_CONSUMER, stream: 'PAYMENTS_EVENTS', handler: replayed(ports) }],
    into: [],
    afterReplace: async (tx: Transaction<Tables>) => void (events = await refill(tx)),
  });
  return { replayed: sources.reduce((sum, source) => sum + source.handled, 0), events };
}

/** Makes the tables that were dropped, empty, with the rights of the schema's owner. */
async function createDroppedTables(db: Kysely<Tables>): Promise<void> {
  await sql`SELECT create_derived_tables()`.execute(db);
}

/** Fills `receipts` from the receipts' own events, in one transaction: readers see the old rows until it commits, issuers wait. */
export async function rebuildReceipts(db: Kysely<Tables>): Promise<{ events: number }> {
  await createDroppedTables(db);
  return db.transaction().execute(async (tx) => ({ events: await refill(tx) }));
}

/** A hash over every row and column of the projection, independent of their order on disk. */
export async function checksumOfReceipts(db: Kysely<Tables>): Promise<string> {
  const rows = await db.selectFrom('receipts').selectAll().orderBy('receipt_id').execute();
  return createHash('sha256').update(JSON.stringify(rows)).digest('hex');
}

const PAGE = 500;

/** Numbers come from the events, so they are the same however often this runs. */
async function refill(tx: Transaction<Tables>): Promise<number> {
  await sql`SET LOCAL statement_timeout = 0`.execute(tx);
  await sql`LOCK TABLE receipts IN EXCLUSIVE MODE`.execute(tx);
  await tx.deleteFrom('receipts').execute();
  let events = 0;
  for (let after = 0; ;) {
    const page = await readAll(tx, after, PAGE);
    for (const event of page) await project(tx, event);
    events += page.length;
    const last = page.at(-1);
    if (!last) return events;
    after = last.position;
  }
}

/** The live consumer without network: the new generation may mark a payment done only if its receipt exists then. */
function replayed({ clock, numberFormat }: RebuildPorts): Handler {
  return {
    async handle(tx: Transaction<Tables>, message: Incoming) {
      if (message.subject === ERASED) return erasePayer(tx, message);
      if (message.subject !== SUCCEEDED) return;
      const { envelope: cause } = message;
      const tenant = await keptTenant(tx, cause.tenant);
      if (!tenant) throw new Error(`no copy of tenant ${cause.tenant} yet: the live consumer has to issue its first receipt`);
      // The live consumer may be ahead by a moment; then the number taken here is given back.
      await sql`SAVEPOINT issuing`.execute(tx);
      try {
        await issueForPayment(tx, { payment: paymentIn(cause), tenant, cause, now: clock.now(), numberFormat, template: 'receipt' });
      } catch (error) {
        if (!(error instanceof WrongExpectedVersion)) throw error;
        await sql`ROLLBACK TO SAVEPOINT issuing`.execute(tx);
      }
    },
  };
}
