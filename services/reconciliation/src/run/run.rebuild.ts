import { readAll } from '@tidegate/event-store/read';
import { type Kysely, sql } from 'kysely';
import type { ReconciliationTables } from '../tables.js';
import type { RunEvent } from './run.events.js';
import { recordRunEvent } from './run.record.js';

const PAGE = 500;

/** Fills `runs` and `discrepancies` anew from their events, in one transaction; makes tables that were dropped. Answers the number of events. */
export async function rebuildRuns(db: Kysely<ReconciliationTables>): Promise<number> {
  await sql`SELECT create_run_tables()`.execute(db);
  await sql`SELECT extend_run_tables(), extend_run_reports(), index_discrepancies()`.execute(db);
  return db.transaction().execute(async (tx) => {
    await sql`SET LOCAL statement_timeout = 0`.execute(tx);
    // Runs that are requested or finished meanwhile wait, so that no event falls between reading and deriving.
    await sql`LOCK TABLE runs, discrepancies IN EXCLUSIVE MODE`.execute(tx);
    await tx.deleteFrom('discrepancies').execute();
    await tx.deleteFrom('runs').execute();
    let events = 0;
    for (let after = 0; ;) {
      const page = await readAll(tx, after, PAGE);
      for (const event of page) await recordRunEvent(tx, { type: event.type, data: event.data } as RunEvent, event.occurred_at);
      events += page.length;
      after = page.at(-1)?.position ?? after;
      if (page.length < PAGE) return events;
    }
  });
}
