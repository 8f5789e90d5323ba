import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { type Database } from '@tidegate/database/database';
import { noFailpoints } from '@tidegate/database/failpoints';
import { inTransaction } from '@tidegate/database/transaction';
import { startTracing, type Tracing } from '@tidegate/telemetry/start-tracing';
import { inSpan } from '@tidegate/telemetry/tracing';
import type { TestDatabase } from '@tidegate/test-harness/postgres';
import { sql } from 'kysely';
import { DocumentLoop } from '../src/document/document.loop.js';
import { issueForPayment } from '../src/receipt/receipt.flow.js';
import { TypstRenderer } from '../src/rendering/typst-renderer.js';
import type { Tables } from '../src/tables.js';
import { documentPorts } from './document-ports.js';
import { berlin, knowPayers, payment, succeeded } from './payments.js';
import { connect, receiptsDatabase } from './receipts-database.js';

const exporter = new InMemorySpanExporter();
const renderer = new TypstRenderer();
const clock = { now: () => new Date('2026-11-21T06:00:01.000Z') };
let tracing: Tracing;
let database: TestDatabase;
let opened: Database<Tables>;
beforeAll(async () => {
  tracing = await startTracing({ service: 'receipts', version: '0', spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  database = await receiptsDatabase();
  opened = connect(database);
});
afterAll(async () => {
  await renderer.close();
  await opened.close();
  await database.drop();
  await tracing.shutdown();
});

describe('Given a receipt that was numbered inside a trace', () => {
  it('is rendered later as a child of the span that numbered it, and its messages carry the trace on', async () => {
    const { db } = opened;
    const snapshot = payment(1);
    const cause = succeeded(snapshot);
    await knowPayers(db, [snapshot]);
    await inSpan('process payment.succeeded', { kind: 'consumer', parent: cause.traceparent }, () =>
      inTransaction({ db, failpoints: noFailpoints }, 'receipts.receipts-payments.handle', (tx) =>
        issueForPayment(tx, {
          payment: snapshot,
          tenant: berlin,
          cause,
          now: clock.now(),
          numberFormat: '{series}-{year}-{sequence}',
          template: 'receipt',
        }),
      ),
    );
    await new DocumentLoop(documentPorts(opened, { clock, renderer })).runOnce();

    const spans = exporter.getFinishedSpans();
    const process = spans.find((span) => span.name === 'process payment.succeeded')?.spanContext();
    const render = spans.find((span) => span.name === 'receipts.render');
    expect(process?.traceId).toBe('0af7651916cd43dd8448eb211c80319c');
    expect([render?.spanContext().traceId, render?.parentSpanContext?.spanId]).toEqual([process?.traceId, process?.spanId]);
    const { rows } = await sql<{
      traceparent: string;
    }>`SELECT convert_from(bytes, 'UTF8')::jsonb ->> 'traceparent' AS traceparent FROM outbox ORDER BY id`.execute(db);
    expect(rows.map((row) => row.traceparent.split('-')[2])).toEqual([process?.spanId, render?.spanContext().spanId]);
  });
});
