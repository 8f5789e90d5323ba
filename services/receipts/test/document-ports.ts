import { type Database } from '@tidegate/database/database';
import { noFailpoints } from '@tidegate/database/failpoints';
import { createMetrics, type Metrics } from '@tidegate/telemetry/metrics';
import type { DocumentPorts } from '../src/document/document.flow.js';
import { Links } from '../src/link/links.js';
import { PayerDetails } from '../src/payer/payer-details.js';
import { receiptMetrics } from '../src/receipt/receipt.metrics.js';
import { postgresStore } from '../src/store/postgres.store.js';
import type { TypstRenderer } from '../src/rendering/typst-renderer.js';
import type { Tables } from '../src/tables.js';
import { silent } from './receipts-database.js';

/** Other services are away: what was copied from them before has to do. */
export const nobodyAnswers = { request: () => Promise.reject(new Error('nobody answers')) };

export interface DocumentPortsForTests {
  clock: { now(): Date };
  renderer: TypstRenderer;
  metrics?: Metrics;
}

export function documentPorts(
  { db }: Database<Tables>,
  { clock, renderer, metrics = createMetrics('receipts') }: DocumentPortsForTests,
): DocumentPorts & { logger: typeof silent; links: Links } {
  return {
    db,
    failpoints: noFailpoints,
    clock,
    renderer,
    store: postgresStore(db),
    mails: false,
    payers: new PayerDetails({ db, ask: nobodyAnswers, clock }),
    metrics: receiptMetrics(metrics, db, clock),
    committed: () => undefined,
    logger: silent,
    links: new Links({ db, clock, settings: { publicUrl: null, seconds: 300 } }),
  };
}
