import { randomBytes } from 'node:crypto';
import { type Envelope, envelopeOf } from '@tidegate/contracts/envelope';
import { receiptIssued, ReceiptIssued } from '@tidegate/contracts/events/receipt';
import { type PaymentSnapshot } from '@tidegate/contracts/payment';
import { append, type Metadata } from '@tidegate/event-store/append';
import { type Broker } from '@tidegate/messaging/broker';
import { isJsError, JS_ERROR, jsApi } from '@tidegate/messaging/js-api';
import { stage } from '@tidegate/messaging/outbox';
import { readStream } from '@tidegate/messaging/replay/read-stream';
import { DURABLES } from '@tidegate/messaging/topology';
import { within } from '@tidegate/messaging/within';
import type { Logger } from '@tidegate/telemetry/logger';
import { recordOperatorAction } from '@tidegate/database/operator-action';
import { type Kysely, sql, type Transaction } from 'kysely';
import { z } from 'zod';
import type { ReceiptFacts } from '../document/receipt-facts.js';
import { formatNumber } from '../receipt/receipt-number.js';
import { lostNumbersStream, type ReceiptLost, receiptStream } from '../receipt/receipt.events.js';
import { project } from '../receipt/project-receipt.js';
import { receiptId } from '../receipt/receipt-id.js';
import { loadReceipts } from '../receipt/receipt.record.js';
import { PAYMENTS_CONSUMER } from '../receipt/receipt.store.js';
import { paymentIn, SUCCEEDED } from '../receipt/receipts-payments.consumer.js';
import type { Tables } from '../tables.js';
import { keepLogo } from '../tenant/logos.js';
import { before, verificationWith } from '../receipt/receipt.decide.js';
import { counterName, type FoundReceipt, type Recovery, recovery } from './recovery.decide.js';

/** What stands on a receipt of the seller. */
export interface Seller {
  id: string;
  name: string;
  zone: string;
  locale: string;
  legal_lines: string[];
  tax_ids: string[];
  accent: string | null;
  /** A PNG in base64. */
  logo: string | null;
}

export interface RecoveryParts {
  db: Kysely<Tables>;
  /** Null: there is no stream to read. */
  broker: Broker | null;
  logger: Logger;
  now: Date;
  numberFormat: string;
  publicUrl: string | null;
  sellers: readonly Seller[];
  upTo: Readonly<Record<string, number>>;
  /** Who asks for it, `shell:<login>`, and why. */
  operator: { actor: string; reason: string };
  /** 15 s by default. */
  brokerAnswersWithinMs?: number;
}

export interface Recovered {
  found: string[];
  lost: string[];
  /** Whether the stream told how far numbers had gone; a new broker has none. */
  stream: 'read' | 'not_there' | 'not_asked';
}

type Connection = Awaited<ReturnType<Broker['connection']>>;

const BROKER_ANSWERS_WITHIN_MS = 15_000;

/**
 * Appends to a restored database, in one transaction, what RECEIPTS_EVENTS still has of receipts that were issued after the backup, and records as lost what nobody
 * has. To be run before the service: it must give no number meanwhile. Changes nothing the second time. Throws when the broker does not answer.
 */
export async function recoverReceipts(parts: RecoveryParts): Promise<Recovered> {
  const { db, broker, logger, numberFormat } = parts;
  const inStream = broker ? await issuedInStream(await connected(broker, parts.brokerAnswersWithinMs)) : null;
  const found = inStream ?? [];
  const lacking = recovery(found, await restoredOf(db, found), parts.upTo);
  const payments =
    broker && lacking.append.length > 0 ? await succeededPayments(broker, lacking, logger) : new Map<string, PaymentSnapshot>();
  const plan = await db.transaction().execute(async (tx) => {
    // Whoever recovers at the same time, or gives numbers although nobody should, is waited for: what it has done is not done again, and no counter goes back.
    await sql`LOCK TABLE counters IN SHARE ROW EXCLUSIVE MODE`.execute(tx);
    const stillLacking = recovery(found, await restoredOf(tx, found), parts.upTo);
    await carryOut(tx, stillLacking, payments, parts);
    return stillLacking;
  });
  const numberOf = (one: Recovery['lost'][number]) => `${one.tenant} ${formatNumber(numberFormat, one)}`;
  for (const one of plan.lost)
    logger.error(
      { event: 'receipt_lost', receipt_number: formatNumber(numberFormat, one), tenant: one.tenant },
      'A receipt number was given and its receipt is lost',
    );
  return {
    found: plan.append.map(({ envelope, issued }) => `${envelope.tenant} ${issued.number}`),
    lost: plan.lost.map(numberOf),
    stream: inStream ? 'read' : broker ? 'not_there' : 'not_asked',
  };
}

/** What the database has of the counters, and of these receipts. */
async function restoredOf(db: Kysely<Tables>, found: readonly FoundReceipt[]): Promise<Parameters<typeof recovery>[1]> {
  const { rows } = await sql<{ receipt_id: string }>`
    SELECT receipt_id FROM receipts WHERE receipt_id = ANY(${found.map(({ issued }) => issued.receipt_id)}::text[])`.execute(db);
  return {
    counters: await db.selectFrom('counters').selectAll().execute(),
    receiptIds: new Set(rows.map(({ receipt_id }) => receipt_id)),
  };
}

async function carryOut(
  tx: Transaction<Tables>,
  plan: Recovery,
  payments: ReadonlyMap<string, PaymentSnapshot>,
  { sellers, now, numberFormat, publicUrl, operator, upTo }: RecoveryParts,
): Promise<void> {
  if (plan.append.length + plan.lost.length > 0) {
    const details = { found: plan.append.length, lost: plan.lost.map((one) => formatNumber(numberFormat, one)), up_to: upTo };
    await recordOperatorAction(tx, { ...operator, action: 'receipts.recover', target: 'receipts', details }, now);
  }
  const logos = new Map<string, string>();
  for (const { id, logo } of sellers) if (logo !== null) logos.set(id, await keepLogo(tx, Buffer.from(logo, 'base64'), now));
  const livemode = await lastMode(tx);
  for (const { envelope, issued } of plan.append) {
    const { payment_id } = issued;
    const paid = payments.get(payment_id) ?? (await receiptOf(tx, payment_id)) ?? { livemode, card: null };
    const event = {
      type: 'ReceiptIssued' as const,
      version: 1 as const,
      data: {
        ...factsOf({ envelope, issued }, paid, { sellers, logos }),
        verification: verificationWith(randomBytes(16).toString('base64url'), publicUrl),
      },
    };
    const metadata: Metadata = {
      correlation_id: envelope.correlation_id,
      causation_id: envelope.causation_id ?? envelope.id,
      traceparent: envelope.traceparent,
    };
    await append(
      tx,
      receiptStream(issued.payment_id),
      await versionOf(tx, receiptStream(issued.payment_id)),
      [event],
      metadata,
      new Date(envelope.occurred_at),
    );
    await project(tx, event);
    // The message of before, so that whoever had it knows it.
    await stage(tx, [{ aggregate: issued.receipt_id, subject: receiptIssued.subject, envelope }]);
  }
  for (const lost of plan.lost) {
    const event: ReceiptLost = {
      type: 'ReceiptLost',
      version: 1,
      data: { ...lost, number: formatNumber(numberFormat, lost), reason: 'given after the backup that the database was restored from' },
    };
    const stream = lostNumbersStream(counterName(lost));
    await append(
      tx,
      stream,
      await versionOf(tx, stream),
      [event],
      { correlation_id: 'restore', causation_id: 'restore', traceparent: null },
      now,
    );
  }
  for (const counter of plan.counters)
    await tx
      .insertInto('counters')
      .values(counter)
      .onConflict((conflict) => conflict.columns(['tenant', 'series', 'year']).doUpdateSet({ last: counter.last }))
      .execute();
}

async function versionOf(tx: Transaction<Tables>, stream: string): Promise<number> {
  const { rows } = await sql<{ version: number | null }>`SELECT max(version) AS version FROM events WHERE stream = ${stream}`.execute(tx);
  return rows[0]?.version ?? 0;
}

/** What stands on a document of how it was paid. */
type Paid = Pick<ReceiptFacts, 'card' | 'livemode'> & Pick<PaymentSnapshot, 'paid_at'>;

/** The receipt of a payment, restored or recovered before: a payment that is refunded long after has left its stream. */
const receiptOf = async (tx: Transaction<Tables>, paymentId: string): Promise<Paid | undefined> =>
  (await loadReceipts(tx, paymentId)).receipts.get(receiptId(paymentId))?.facts;

/** The mode of what was issued last: all receipts have that of the one key of Stripe. */
async function lastMode(tx: Transaction<Tables>): Promise<boolean> {
  const { rows } = await sql<{ livemode: boolean }>`
    SELECT (data ->> 'livemode')::boolean AS livemode FROM events WHERE type = 'ReceiptIssued' ORDER BY position DESC LIMIT 1`.execute(tx);
  return rows[0]?.livemode ?? false;
}

/** A credit note's message says for which refund it is. What no message says comes from the tenant as it was restored, and from the payment where something still tells of it. */
function factsOf(
  { envelope, issued }: FoundReceipt,
  paid: Paid,
  { sellers, logos }: { sellers: readonly Seller[]; logos: ReadonlyMap<string, string> },
): Omit<ReceiptFacts, 'verification'> {
  const seller = sellers.find(({ id }) => id === envelope.tenant);
  return {
    ...issued,
    tenant: envelope.tenant,
    zone: seller?.zone ?? 'UTC',
    locale: seller?.locale ?? 'en',
    seller: {
      name: seller?.name ?? envelope.tenant,
      legal_lines: seller?.legal_lines ?? [],
      tax_ids: seller?.tax_ids ?? [],
      accent: seller?.accent ?? null,
      logo: logos.get(envelope.tenant) ?? null,
    },
    card: paid.card,
    ...(issued.kind === 'receipt' && paid.paid_at ? { happened_at: before(new Date(issued.issued_at), new Date(paid.paid_at)) } : {}),
    livemode: paid.livemode,
    template: 'receipt',
    recovered: true,
  };
}

const AnyMessage = envelopeOf(z.unknown());
const messageIn = (bytes: Buffer): Envelope => AnyMessage.parse(JSON.parse(bytes.toString('utf8'))) as Envelope;

const connected = (broker: Broker, ms = BROKER_ANSWERS_WITHIN_MS): Promise<Connection> =>
  within(
    ms,
    broker.connection(),
    () => new Error(`The broker does not answer within ${ms / 1000} s: look at RECEIPTS_NATS_URL and its password`),
  );

/** Each message of an issued receipt that the stream holds, in order; null when there is no stream. */
async function issuedInStream(nc: Connection): Promise<FoundReceipt[] | null> {
  const found: FoundReceipt[] = [];
  for (let seq = 1; ;) {
    try {
      const { message } = await jsApi<{ message: { seq: number; data: string } }>(nc, 'STREAM.MSG.GET.RECEIPTS_EVENTS', {
        seq,
        next_by_subj: receiptIssued.subject,
      });
      const envelope = messageIn(Buffer.from(message.data, 'base64'));
      found.push({ envelope, issued: ReceiptIssued.parse(envelope.data) });
      seq = message.seq + 1;
    } catch (error) {
      if (isJsError(error, JS_ERROR.streamNotFound)) return null;
      if (isJsError(error, JS_ERROR.noMessageFound)) return found;
      throw error;
    }
  }
}

async function succeededPayments(broker: Broker, plan: Recovery, logger: Logger): Promise<Map<string, PaymentSnapshot>> {
  const wanted = new Set(plan.append.map(({ issued }) => issued.payment_id));
  const spec = DURABLES.find(({ durable }) => durable === PAYMENTS_CONSUMER);
  if (!spec) throw new Error(`Bug: no durable ${PAYMENTS_CONSUMER}`);
  const payments = new Map<string, PaymentSnapshot>();
  await readStream(broker, spec, logger, async (arrivals) => {
    for (const { subject, aggregate, bytes } of arrivals)
      if (subject === SUCCEEDED && wanted.has(aggregate)) payments.set(aggregate, paymentIn(messageIn(bytes)));
  });
  return payments;
}
