import { Lease } from '@tidegate/database/lease';
import { JetStreamStrategy } from '@tidegate/messaging/nest/jetstream.strategy';
import { serveDeadLetters } from '@tidegate/messaging/dead-letters.rpc';
import { serveOutboxRead } from '@tidegate/messaging/outbox-read.rpc';
import { parkingUnknown } from '@tidegate/messaging/park-unknown';
import { OutboxRelay } from '@tidegate/messaging/relay';
import { type RpcServer } from '@tidegate/messaging/rpc';
import { Subscriber } from '@tidegate/messaging/subscriber';
import { eventReplays } from '@tidegate/service-host/event-replays';
import { ConfigError } from '@tidegate/service-host/config';
import { everyLoop } from '@tidegate/service-host/loop';
import type { HostContext, ServiceParts, Startable } from '@tidegate/service-host/service-parts';
import type { Logger } from '@tidegate/telemetry/logger';
import { publicUrlOf, type ReceiptsConfig } from './config.js';
import type { DocumentPorts } from './document/document.flow.js';
import { DocumentLoop } from './document/document.loop.js';
import { parkedDocuments, registerParkedMetric } from './document/parked-documents.js';
import { Links } from './link/links.js';
import { MAIL_RESULTS } from './mail/mail.flow.js';
import { MailLoop } from './mail/mail.loop.js';
import { Mailer } from './mail/mailer.js';
import { PayerDetails } from './payer/payer-details.js';
import { ChangeRpc } from './receipt/change.rpc.js';
import { IssueRpc } from './receipt/issue.rpc.js';
import { ReceiptController } from './receipt/receipt.controller.js';
import { receiptMetrics } from './receipt/receipt.metrics.js';
import { receiptsProjection } from './receipt/receipt.projection.js';
import { ReceiptRpc } from './receipt/receipt.rpc.js';
import { PAYMENTS_CONSUMER } from './receipt/receipt.store.js';
import { VerificationRpc } from './receipt/verification.rpc.js';
import { VerifyRpc } from './receipt/verify.rpc.js';
import { ReceiptsPaymentsConsumer } from './receipt/receipts-payments.consumer.js';
import { storeOf } from './store/store-of.js';
import { TypstRenderer } from './rendering/typst-renderer.js';
import { TenantCopies } from './tenant/tenant-copy.js';

const SERVICE = 'receipts';
const RENDER_INTERVAL_MS = 1000;
const MAIL_INTERVAL_MS = 1000;

/** Where the parts of receipts meet. */
export async function receipts(context: HostContext<ReceiptsConfig>): Promise<ServiceParts> {
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
    store: await storeOf(config, db),
    mails: config.SMTP_URL !== undefined,
    metrics: receiptMetrics(metrics, db, clock),
    committed: () => relay.signal(),
  };
  const publicUrl = publicUrlOf(config);
  const links = new Links({ db, clock: { now: () => new Date() }, settings: { publicUrl, seconds: config.RECEIPT_LINK_SECONDS } });
  const documents = new DocumentLoop(ports);
  const mailing = mailLoop({ ...ports, committed: () => relay.signal() }, context);
  const rendering = everyLoop({
    name: 'receipts.render',
    intervalMs: RENDER_INTERVAL_MS,
    async runOnce({ alive }) {
      const done = await documents.runOnce(alive);
      if (done > 0) mailing?.signal?.();
      return done;
    },
    health,
    logger,
  });
  const issuingPorts = {
    tenants: new TenantCopies({ db, ask: context.rpc, clock }),
    clock,
    logger,
    numberFormat: config.RECEIPT_NUMBER_FORMAT,
    publicUrl,
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
    handler: parkingUnknown(issuing),
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
        { provide: ReceiptRpc, useValue: new ReceiptRpc({ ...ports, links }) },
        { provide: ChangeRpc, useValue: new ChangeRpc({ ...ports, links, mailDue: () => mailing?.signal?.() }) },
        { provide: VerifyRpc, useValue: new VerifyRpc({ ...ports, links }) },
        { provide: VerificationRpc, useValue: new VerificationRpc({ db }) },
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
    loops: [relay, rendering, ...(mailing ? [mailing] : []), replays.loop],
    stop: () => renderer.close(),
  };
}

/** Null without a mail server. The metric is there all the same, like every other. */
function mailLoop(ports: DocumentPorts & { logger: Logger }, { config, health, logger, metrics }: HostContext<ReceiptsConfig>) {
  const mailed = metrics.counter<'result'>(
    'receipts_mails_total',
    'Mails with a receipt, by how they ended; `retry` is tried again by itself.',
    {
      result: MAIL_RESULTS,
    },
  );
  const { SMTP_URL: url, RECEIPT_MAIL_FROM: from } = config;
  if (url === undefined) return null;
  if (from === undefined) throw new ConfigError(['RECEIPT_MAIL_FROM: is required with SMTP_URL']);
  const mails = new MailLoop({ ...ports, mailed, mailer: new Mailer({ url: () => url.value, from }) });
  return everyLoop({ name: 'receipts.mail', intervalMs: MAIL_INTERVAL_MS, runOnce: ({ alive }) => mails.runOnce(alive), health, logger });
}

/** A subscription that begins when the service starts and ends when it stops. */
function served(serve: () => RpcServer): Startable {
  let server: RpcServer | undefined;
  return {
    start: async () => void (server = serve()),
    stop: async () => server?.stop(),
  };
}
