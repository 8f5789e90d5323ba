import { type OperatorAction, recordOperatorAction } from '@tidegate/database/operator-action';
import type { Logger } from '@tidegate/telemetry/logger';
import type { Kysely, Transaction } from 'kysely';
import type { GatewayTables } from '../tables.js';

export interface AuditDeps {
  db: Kysely<GatewayTables>;
  clock: { now(): Date };
  logger: Logger;
}

/** Changes that a person asked for: what, who and why are committed with the change, then logged as `operator_action`. */
export class Audit {
  constructor(private readonly deps: AuditDeps) {}

  /** `changed` false: there was nothing to change, so that nothing is written down. */
  async change<R>(
    action: OperatorAction,
    work: (tx: Transaction<GatewayTables>) => Promise<R>,
    changed: (result: R) => boolean = () => true,
  ): Promise<R> {
    const { db, clock, logger } = this.deps;
    const result = await db.transaction().execute(async (tx) => {
      const value = await work(tx);
      if (changed(value)) await recordOperatorAction(tx, action, clock.now());
      return value;
    });
    if (changed(result)) logger.info({ event: 'operator_action', ...action }, `${action.action} ${action.target}`);
    return result;
  }
}
