import { Lease } from '@tidegate/database/lease';
import { JetStreamStrategy } from '@tidegate/messaging/nest/jetstream.strategy';
import { serveDeadLetters } from '@tidegate/messaging/dead-letters.rpc';
import { serveOutboxRead } from '@tidegate/messaging/outbox-read.rpc';
import { OutboxRelay } from '@tidegate/messaging/relay';
import { type RpcServer } from '@tidegate/messaging/rpc';
import { Subscriber } from '@tidegate/messaging/subscriber';
import { eventReplays } from '@tidegate/service-host/event-replays';
import { everyLoop } from '@tidegate/service-host/loop';
import type { HostContext, ServiceParts, Startable } from '@tidegate/service-host/service-parts';
import type { ReceiptsConfig } from './config.js';
import { DocumentLoop } from './document/document.loop.js';
import { parkedDocuments, registerParkedMetric } from './document/parked-documents.js';
import { PayerDetails } from './payer/payer-details.js';
import { IssueRpc } from './receipt/issue.rpc.js';
import { ReceiptController } from './receipt/receipt.controller.js';
import { receiptMetrics } from './receipt/receipt.metrics.js';
import { receiptsProjection } from './receipt/receipt.projection.js';
import { ReceiptRpc } from './receipt/receipt.rpc.js';
import { PAYMENTS_CONSUMER } from './receipt/receipt.store.js';
import { ReceiptsPaymentsConsumer } from './receipt/receipts-payments.consumer.js';
import { TypstRenderer } from './rendering/typst-renderer.js';
import { TenantCopies } from './tenant/tenant-copy.js';

const SERVICE = 'receipts';
const RENDER_INTERVAL_MS = 1000;

/** Where the parts of receipts meet. */
export function receipts(context: HostContext<ReceiptsConfig>): ServiceParts {
  const { broker, clock, config, db, failpoints, health, instance, logger, metrics } = context;
  const relay = new OutboxRelay({ db, broker, owner: SERVICE, failpoints, logger, metrics, lease: new Lease(db, 'relay', instance) });
  const renderer = new TypstRenderer();
  const ports = {
    db,
    failpoints,
    clock,
    logger,
    renderer,
    payers: new PayerDetails({ db, ask: context.rpc, clock }),
    metrics: receiptMetrics(metrics, db, clock),
    committed: () => relay.signal(),
  };
  const documents = new DocumentLoop(ports);
  const rendering = everyLoop({
    name: 'receipts.render',
    intervalMs: RENDER_INTERVAL_MS,
    runOnce: ({ alive }) => documents.runOnce(alive),
    health,
    logger,
  });
  const issuingPorts = {
    tenants: new TenantCopies({ db, ask: context.rpc, clock }),
    clock,
    logger,
    numberFormat: config.RECEIPT_NUMBER_FORMAT,
    issued() {
      rendering.signal?.();
      relay.signal();
    },
  };
  const issuing = new ReceiptsPaymentsConsumer(issuingPorts);
  const consumer = new Subscriber({
    db,
    broker,
    failpoints,
    logger,
    metrics,
    clock,
    service: SERVICE,
    durable: PAYMENTS_CONSUMER,
    stream: 'PAYMENTS_EVENTS',
    handler: issuing,
  });
  const replays = eventReplays(context, SERVICE, { projections: [receiptsProjection] });
  const parked = parkedDocuments(db, { clock, due: () => rendering.signal?.() });
  registerParkedMetric(metrics, parked);
  const requests = new JetStreamStrategy({
    broker,
    service: SERVICE,
    subscriber: (durable) => {
      throw new Error(`Bug: ${durable} is consumed below, not by a controller`);
    },
  });
  return {
    module: {
      controllers: [ReceiptController],
      providers: [
        { provide: ReceiptRpc, useValue: new ReceiptRpc(ports) },
        { provide: IssueRpc, useValue: new IssueRpc({ ...issuingPorts, db }) },
      ],
    },
    strategies: [requests],
    consumers: [
      consumer,
      served(() => serveOutboxRead(broker, db, SERVICE)),
      served(() => serveDeadLetters({ broker, db, owner: SERVICE, logger, clock, consumers: [consumer], parked: [parked] })),
      served(replays.serve),
    ],
    loops: [relay, rendering, replays.loop],
    stop: () => renderer.close(),
  };
}

/** A subscription that begins when the service starts and ends when it stops. */
function served(serve: () => RpcServer): Startable {
  let server: RpcServer | undefined;
  return {
    start: async () => void (server = serve()),
    stop: async () => server?.stop(),
  };
}
