import type { Broker } from '@tidegate/messaging/connection';
import { rebuild } from '@tidegate/messaging/rebuild';
import type { Logger } from '@tidegate/telemetry/logger';
import type { Kysely } from 'kysely';
import type { ReconciliationTables } from '../tables.js';
import { projections } from './projections.js';

export interface RebuildParts {
  db: Kysely<ReconciliationTables>;
  broker: Broker;
  logger: Logger;
  livemode: boolean;
}

/**
 * Fills the projections anew from their streams, each in a new generation beside the live one, and changes over in one transaction. Makes tables that were
 * dropped. The service may run meanwhile; outcomes are not reported a second time. Throws when an owner is away, and leaves that projection as it is.
 */
export async function rebuildProjection({ db, broker, logger, livemode }: RebuildParts) {
  const sources = [];
  for (const projection of projections(livemode))
    sources.push(...(await rebuild({ db, broker, logger, service: 'reconciliation', projection })).sources);
  return { sources };
}
