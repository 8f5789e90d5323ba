import { sql } from 'kysely';

/**
 * Runs that tell how fresh the comparison is when they succeed: the daily one, and those asked for, of every tenant, that read the whole day before theirs in every class. A
 * rolling compare says nothing about yesterday, and neither does a run of one tenant, of one class or of last year.
 */
export const TELLS_FRESHNESS = sql<boolean>`(trigger = 'daily' OR (trigger <> 'rolling' AND tenant = '*' AND classes IS NULL
  AND period_end >= date_trunc('day', created_at, 'UTC') AND period_start <= date_trunc('day', created_at, 'UTC') - interval '24 hours'))`;
