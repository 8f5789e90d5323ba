import { Lease } from '@tidegate/database/lease';
import { OutboxRelay } from '@tidegate/messaging/relay';
import { RPC } from '@tidegate/contracts/rpc/routes';
import { serveOutboxRead } from '@tidegate/messaging/outbox-read.rpc';
import { serveRpc } from '@tidegate/messaging/rpc';
import { Subscriber } from '@tidegate/messaging/subscriber';
import type { HostContext, ServiceParts } from '@tidegate/service-host/host';
import { everyLoop } from '@tidegate/service-host/loop';
import type { ReceiptsConfig } from './config.js';
import { DocumentLoop } from './document/document.loop.js';
import { PayerDetails } from './payer/payer-details.js';
import { receiptMetrics } from './receipt/receipt.metrics.js';
import { ReceiptRpc } from './receipt/receipt.rpc.js';
import { ReceiptsPaymentsConsumer } from './receipt/receipts-payments.consumer.js';
import { TypstRenderer } from './rendering/typst-renderer.js';
import { TenantCopies } from './tenant/tenant-copy.js';

const RENDER_INTERVAL_MS = 1000;

/** Where the parts of receipts meet. */
export function receipts(context: HostContext<ReceiptsConfig>): ServiceParts {
  const { broker, clock, config, db, failpoints, health, instance, logger, metrics, rpc } = context;
  const relay = new OutboxRelay({ db, broker, owner: 'receipts', failpoints, logger, metrics, lease: new Lease(db, 'relay', instance) });
  const renderer = new TypstRenderer();
  const ports = {
    db,
    failpoints,
    clock,
    logger,
    renderer,
    payers: new PayerDetails({ db, ask: rpc, clock }),
    metrics: receiptMetrics(metrics, db, clock),
    committed: () => relay.signal(),
  };
  const documents = new DocumentLoop(ports);
  const rendering = everyLoop({ name: 'receipts.render', intervalMs: RENDER_INTERVAL_MS, runOnce: () => documents.runOnce(), health, logger });
  const issuing = new ReceiptsPaymentsConsumer({
    tenants: new TenantCopies({ db, ask: rpc, clock }),
    clock,
    logger,
    numberFormat: config.RECEIPT_NUMBER_FORMAT,
    issued() {
      rendering.signal?.();
      relay.signal();
    },
  });
  const rpcs = new ReceiptRpc(ports);
  const served: { stop(): Promise<void> }[] = [];
  return {
    module: {},
    consumers: [
      new Subscriber({ db, broker, failpoints, logger, metrics, clock, service: 'receipts', durable: 'receipts-payments', stream: 'PAYMENTS_EVENTS', handler: issuing }),
      {
        async start() {
          served.push(
            serveOutboxRead(broker, db, 'receipts'),
            serveRpc(broker, RPC.receiptList, 'receipts', (r) => rpcs.list(r)),
            serveRpc(broker, RPC.receiptGet, 'receipts', (r) => rpcs.get(r)),
            serveRpc(broker, RPC.receiptOfPayment, 'receipts', (r) => rpcs.ofPayment(r)),
            serveRpc(broker, RPC.receiptPdf, 'receipts', (r) => rpcs.pdf(r)),
          );
        },
        async stop() {
          await Promise.all(served.map((one) => one.stop()));
        },
      },
    ],
    loops: [relay, rendering],
    stop: () => renderer.close(),
  };
}
