import { type RawBuilder, sql } from 'kysely';
import type { UnseenQuery } from './kind.js';

/** By the remote's id, for those that `find` finds something. */
export function matched<R extends { id: string }, L>(remotes: readonly R[], find: (remote: R) => L | undefined): Map<string, L> {
  return new Map(
    remotes.flatMap((remote) => {
      const local = find(remote);
      return local === undefined ? [] : [[remote.id, local] as const];
    }),
  );
}

/**
 * The condition on rows `p` of a table of ours: of the tenant and the period, after the page before, and on none of the pages that the run has read. Each is looked for by
 * its key, in the collation of its index (OFFSET 0 keeps the planner from joining): what a run has seen is new to the statistics, so it would else be read as a whole for
 * each row.
 */
export function ofPeriod(
  { runId, tenant, period, after }: UnseenQuery,
  { object, id, at }: { object: string; id: string; at: string },
): RawBuilder<boolean> {
  const [key, time] = [sql.ref(`p.${id}`), sql.ref(`p.${at}`)];
  const ofTenant = tenant === null ? sql`true` : sql`p.tenant = ${tenant}`;
  return sql<boolean>`${ofTenant} AND ${key} > ${after}
    AND ${time} >= to_timestamp(${period.gte}::float8) AND ${time} < to_timestamp(${period.lt}::float8)
    AND NOT EXISTS (SELECT 1 FROM run_seen s WHERE s.run_id = ${runId} AND s.object = ${object} AND s.object_id = ${key} COLLATE "default" OFFSET 0)`;
}
