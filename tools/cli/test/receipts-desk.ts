import { examplePaymentSnapshot } from '@tidegate/contracts/payment';
import { noPaymentDetails } from '@tidegate/contracts/rpc/payment-details';
import type { HttpReply } from '@tidegate/contracts/rpc/http-reply';
import { RPC, type RpcSubject } from '@tidegate/contracts/rpc/routes';
import { openDatabase } from '@tidegate/database/database';
import { noFailpoints } from '@tidegate/database/failpoints';
import { connectBroker } from '@tidegate/messaging/connection';
import { serveRpc } from '@tidegate/messaging/rpc';
import { DocumentLoop } from '@tidegate/receipts/document/document.loop';
import { Links } from '@tidegate/receipts/link/links';
import { PayerDetails } from '@tidegate/receipts/payer/payer-details';
import { ChangeRpc } from '@tidegate/receipts/receipt/change.rpc';
import { issueForPayment } from '@tidegate/receipts/receipt/receipt.flow';
import { receiptId } from '@tidegate/receipts/receipt/receipt-id';
import { receiptMetrics } from '@tidegate/receipts/receipt/receipt.metrics';
import { ReceiptRpc } from '@tidegate/receipts/receipt/receipt.rpc';
import { VerifyRpc } from '@tidegate/receipts/receipt/verify.rpc';
import { TypstRenderer } from '@tidegate/receipts/rendering/typst-renderer';
import { postgresStore } from '@tidegate/receipts/store/postgres.store';
import type { Tables } from '@tidegate/receipts/tables';
import { createLogger } from '@tidegate/telemetry/logger';
import { createMetrics } from '@tidegate/telemetry/metrics';
import type { OperatorWorld } from './operator-world.js';

/** Receipts, as far as operators ask it: one receipt that was rendered, and the answers of the service. */
export async function receiptsDesk(world: OperatorWorld): Promise<{ receipt: string; stop(): Promise<void> }> {
  const logger = createLogger({ service: 'receipts', level: 'silent' });
  const { db, close } = openDatabase<Tables>(
    { url: world.database.urlFor('receipts'), poolSize: 2, applicationName: 'receipts desk' },
    logger,
  );
  const broker = await connectBroker({ servers: world.nats.url('receipts'), name: 'receipts-desk', service: 'receipts', logger });
  const renderer = new TypstRenderer();
  const clock = { now: () => new Date() };
  const ask = { request: async () => Promise.reject(new Error('nobody is asked')) };
  const ports = {
    ...{ db, logger, clock, renderer, failpoints: noFailpoints, mails: true, committed: () => undefined, mailDue: () => undefined },
    payers: new PayerDetails({ db, ask, clock }),
    store: postgresStore(db),
    metrics: receiptMetrics(createMetrics('receipts'), db, clock),
    links: new Links({ db, clock, settings: { publicUrl: null, seconds: 300 } }),
  };
  const payment = examplePaymentSnapshot;
  const { payment_id } = payment;
  const details = JSON.stringify({ ...noPaymentDetails, receipt_email: 'payer@example.com' });
  await db.insertInto('payers').values({ payment_id, tenant: 'default', details, fetched_at: clock.now() }).execute();
  const tenant = { id: 'default', name: 'Hafenrösterei', zone: 'Europe/Berlin', locale: 'en', legal_lines: [] };
  const cause = { id: payment_id, correlation_id: 'cor_1', traceparent: null };
  const told = { payment, tenant, cause, now: clock.now(), numberFormat: '{series}-{year}-{sequence:6}', template: 'receipt' };
  await db.transaction().execute((tx) => issueForPayment(tx, told));
  await new DocumentLoop(ports).runOnce();

  const [receipts, changes, verifying] = [new ReceiptRpc(ports), new ChangeRpc(ports), new VerifyRpc(ports)];
  const serve = (subject: RpcSubject, answer: (request: unknown) => Promise<HttpReply>) => serveRpc(broker, subject, 'receipts', answer);
  const served = [
    serve(RPC.operatorReceiptList, (request) => receipts.listForOperators(request)),
    serve(RPC.operatorReceiptGet, (request) => receipts.getForOperators(request)),
    serve(RPC.operatorReceiptRegenerate, (request) => changes.regenerateForOperators(request)),
    serve(RPC.operatorReceiptResend, (request) => changes.resendForOperators(request)),
    serve(RPC.operatorReceiptVerify, (request) => verifying.verify(request)),
  ];
  return {
    receipt: receiptId(payment_id),
    async stop() {
      for (const one of served) await one.stop();
      await broker.drain();
      await renderer.close();
      await close();
    },
  };
}
