import type { Envelope } from '@tidegate/contracts/envelope';
import { paymentSubject } from '@tidegate/contracts/events/payment';
import { PaymentSnapshot } from '@tidegate/contracts/payment';
import type { Tenant } from '@tidegate/contracts/rpc/routes';
import { isKnownSubject } from '@tidegate/messaging/park-unknown';
import { type Handler, type InContextOf, type Incoming, PermanentFailure, TransientFailure } from '@tidegate/messaging/incoming';
import type { Clock } from '@tidegate/service-host/clock';
import type { Logger } from '@tidegate/telemetry/logger';
import type { Transaction } from 'kysely';
import { ERASED, erasePayer } from '../payer/payer-erasure.js';
import type { Tables } from '../tables.js';
import { type TenantCopies, TenantUnavailable } from '../tenant/tenant-copy.js';
import type { CreditNoteVoided, ReceiptIssued } from './receipt.events.js';
import { issueWhatIsDue } from './receipt.flow.js';
import { lockCounters } from './receipt.store.js';
import { keepStanding } from './standing.js';

export interface IssuingPorts {
  tenants: TenantCopies;
  clock: Clock;
  logger: Logger;
  numberFormat: string;
  publicUrl: string | null;
  /** Receipts were issued: there is something to render and to publish. */
  issued: () => void;
}

const TENANT_RETRY_MS = 1000;
/** The fact that gives a payment its receipt. */
export const SUCCEEDED = paymentSubject('succeeded');
/** The fact that gives a refund its credit note, or voids it. */
export const REFUND_UPDATED = paymentSubject('refund_updated');
/** These change what documents there are, or what they say. */
const TOLD = new Set([
  SUCCEEDED,
  REFUND_UPDATED,
  ...(['dispute_opened', 'dispute_updated', 'dispute_closed'] as const).map(paymentSubject),
]);
export const isTold = (subject: string): boolean => TOLD.has(subject);

/**
 * Issues the receipt of each payment that succeeded and the credit notes of its refunds, voids those whose refund failed, and erases the payer with the customer, in
 * the transaction that marks the message done. Every other event passes by.
 */
export class ReceiptsPaymentsConsumer implements Handler {
  private readonly recordedBy = new WeakMap<Incoming, (ReceiptIssued | CreditNoteVoided)[]>();

  constructor(private readonly ports: IssuingPorts) {}

  /** Of what payments publishes most is no news here; what this version does not know is left to wait. */
  passesBy(subject: string): boolean {
    return isKnownSubject(subject) && subject !== ERASED && !isTold(subject);
  }

  async prepare(message: Incoming): Promise<Tenant | null> {
    if (!isTold(message.subject)) return null;
    try {
      return await this.ports.tenants.get(message.envelope.tenant);
    } catch (error) {
      if (error instanceof TenantUnavailable) throw new TransientFailure(error.message, TENANT_RETRY_MS);
      throw error;
    }
  }

  async handle(tx: Transaction<Tables>, message: Incoming, prepared: unknown): Promise<void> {
    if (message.subject === ERASED) return erasePayer(tx, message);
    if (!isTold(message.subject)) return;
    const payment = paymentIn(message.envelope);
    const events = await issueWhatIsDue(tx, {
      payment,
      tenant: prepared as Tenant,
      cause: message.envelope,
      now: this.ports.clock.now(),
      numberFormat: this.ports.numberFormat,
      template: 'receipt',
      publicUrl: this.ports.publicUrl,
    });
    await keepStanding(tx, payment, message.envelope.aggregate.version);
    if (events.length > 0) this.recordedBy.set(message, events);
  }

  /** Of tenants that are known, so that issuers of a series wait for each other once for many payments, and not for each. */
  async handleSome(tx: Transaction<Tables>, messages: readonly Incoming[], inContextOf: InContextOf): Promise<Incoming[]> {
    const told = messages.filter(({ subject }) => isTold(subject));
    const tenants = await this.ports.tenants.known(tx, [...new Set(told.map(({ envelope }) => envelope.tenant))]);
    await lockCounters(tx, [...tenants.keys()]);
    // Some that pass by were stored before they did.
    const left = new Set(messages.filter(({ subject }) => !this.passesBy(subject)));
    for (const message of told) {
      const tenant = tenants.get(message.envelope.tenant);
      if (!tenant) continue;
      await inContextOf(message, () => this.handle(tx, message, tenant));
      left.delete(message);
    }
    return [...left];
  }

  afterCommit(message: Incoming): void {
    const events = this.recordedBy.get(message);
    if (!events) return;
    for (const event of events) logRecorded(this.ports.logger, event, message.envelope);
    this.ports.issued();
  }
}

function logRecorded(logger: Logger, event: ReceiptIssued | CreditNoteVoided, { tenant, aggregate }: Envelope): void {
  if (event.type === 'CreditNoteVoided') {
    logger.warn(
      { event: 'credit_note_voided', receipt_id: event.data.receipt_id, payment_id: aggregate.id, tenant },
      'A credit note was voided, because its refund failed',
    );
    return;
  }
  const { number: receipt_number, receipt_id, payment_id, kind } = event.data;
  logger.info({ event: 'receipt_issued', receipt_number, receipt_id, payment_id, tenant, kind }, 'A receipt got its number');
}

/** Throws PermanentFailure for what is no payment. */
export function paymentIn(cause: Envelope): PaymentSnapshot {
  const parsed = PaymentSnapshot.safeParse(cause.data);
  if (!parsed.success)
    throw new PermanentFailure(
      `not a payment: ${parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`).join(', ')}`,
    );
  return parsed.data;
}
