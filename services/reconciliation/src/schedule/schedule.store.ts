import { sql } from 'kysely';
import type { CompareDb } from '../compare/kind.js';
import type { MadeRun } from './schedule.decide.js';

/** Enough to see the tries of a day, and the last one that succeeded of many that failed. */
const MOST = 50;

/** The newest runs that the schedule made, and the newest that succeeded, newest first. */
export async function madeRuns(db: CompareDb, trigger: 'daily' | 'rolling'): Promise<MadeRun[]> {
  const { rows } = await sql<MadeRun>`
    SELECT status, created_at, finished_at, extract(epoch FROM least(period_end, created_at))::float8 AS lt FROM (
      (SELECT * FROM runs WHERE trigger = ${trigger} ORDER BY created_at DESC LIMIT ${MOST})
      UNION (SELECT * FROM runs WHERE trigger = ${trigger} AND status = 'succeeded' ORDER BY created_at DESC LIMIT 1)
    ) made ORDER BY created_at DESC`.execute(db);
  return rows;
}

export async function installedAt(db: CompareDb): Promise<Date> {
  const { installed_at } = await db.selectFrom('installation').select('installed_at').executeTakeFirstOrThrow();
  return installed_at;
}
