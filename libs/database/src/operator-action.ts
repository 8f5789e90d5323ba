import { sql } from 'kysely';
import { type Db } from './database.js';

/** A change that a person asked for. */
export interface OperatorAction {
  /** The id of the API key, or `shell:<login>`. */
  actor: string;
  /** A verb with its noun, `breaker.reset`. */
  action: string;
  /** What it was done to: a name or an id. */
  target: string;
  /** In the person's words, not empty. */
  reason: string;
  details?: Record<string, unknown>;
}

/** Writes the action down in the transaction of the change; log `operator_action` after the commit. */
export async function recordOperatorAction(tx: Db, action: OperatorAction, at: Date): Promise<void> {
  await sql`
    INSERT INTO operator_actions (at, actor, action, target, reason, details)
    VALUES (${at}, ${action.actor}, ${action.action}, ${action.target}, ${action.reason}, ${JSON.stringify(action.details ?? {})}::jsonb)`.execute(
    tx,
  );
}
