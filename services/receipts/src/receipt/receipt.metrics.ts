import type { Clock } from '@tidegate/service-host/clock';
import type { Metrics } from '@tidegate/telemetry/metrics';
import type { Kysely } from 'kysely';
import { RENDER_FAILURES, type RenderFailure } from '../document/document.flow.js';
import type { Tables } from '../tables.js';
import { oldestMissingSeconds } from './receipt.store.js';

export type ReceiptMetrics = ReturnType<typeof receiptMetrics>;

export function receiptMetrics(metrics: Metrics, db: Kysely<Tables>, clock: Clock) {
  metrics.gauge(
    'receipts_missing_oldest_seconds',
    'Age of the oldest receipt that has a number and no document; 0 when there is none.',
    {},
    async (gauge) => gauge.set(await oldestMissingSeconds(db, clock.now())),
  );
  return {
    errors: metrics.counter<'error'>(
      'payments_receipt_errors_total',
      'Attempts to make a document, or to read one from its store, that failed, by cause.',
      {
        error: RENDER_FAILURES satisfies readonly RenderFailure[],
      },
    ),
    renderDuration: metrics.histogram('receipts_render_duration_seconds', 'From the claim of a receipt to its finished PDF.'),
  };
}
