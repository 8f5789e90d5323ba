import { sql } from 'kysely';

/**
 * In the FROM of a statement that is its own transaction: its commit does not wait for the disk. For what a crash of the server may take back without harm (tokens,
 * counts), so that calls to Stripe do not pay for a flush.
 */
export const NOT_FLUSHED = sql`(SELECT set_config('synchronous_commit', 'off', true) OFFSET 0) AS not_flushed`;
