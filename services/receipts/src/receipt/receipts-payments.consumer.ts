import type { Envelope } from '@tidegate/contracts/envelope';
import { paymentSubject } from '@tidegate/contracts/events/payment';
import { PaymentSnapshot } from '@tidegate/contracts/payment';
import type { Tenant } from '@tidegate/contracts/rpc/routes';
import { type Handler, type Incoming, PermanentFailure, TransientFailure } from '@tidegate/messaging/subscriber';
import type { Clock } from '@tidegate/service-host/clock';
import type { Logger } from '@tidegate/telemetry/logger';
import type { Transaction } from 'kysely';
import type { ReceiptFacts } from '../document/receipt-facts.js';
import { ERASED, erasePayer } from '../payer/payer-erasure.js';
import type { Tables } from '../tables.js';
import { type TenantCopies, TenantUnavailable } from '../tenant/tenant-copy.js';
import { issueForPayment } from './receipt.flow.js';

export interface IssuingPorts {
  tenants: TenantCopies;
  clock: Clock;
  logger: Logger;
  numberFormat: string;
  /** Receipts were issued: there is something to render and to publish. */
  issued: () => void;
}

const TENANT_RETRY_MS = 1000;
/** The fact that gives a payment its receipt. */
export const SUCCEEDED = paymentSubject('succeeded');

/** Issues the receipt of each payment that succeeded, and erases the payer with the customer, in the transaction that marks the message done. Every other event passes by. */
export class ReceiptsPaymentsConsumer implements Handler {
  private readonly issuedBy = new WeakMap<Incoming, ReceiptFacts>();

  constructor(private readonly ports: IssuingPorts) {}

  async prepare(message: Incoming): Promise<Tenant | null> {
    if (message.subject !== SUCCEEDED) return null;
    try {
      return await this.ports.tenants.get(message.envelope.tenant);
    } catch (error) {
      if (error instanceof TenantUnavailable) throw new TransientFailure(error.message, TENANT_RETRY_MS);
      throw error;
    }
  }

  async handle(tx: Transaction<Tables>, message: Incoming, prepared: unknown): Promise<void> {
    if (message.subject === ERASED) return erasePayer(tx, message);
    if (message.subject !== SUCCEEDED) return;
    const facts = await issueForPayment(tx, {
      payment: paymentIn(message.envelope),
      tenant: prepared as Tenant,
      cause: message.envelope,
      now: this.ports.clock.now(),
      numberFormat: this.ports.numberFormat,
      template: 'receipt',
    });
    if (facts) this.issuedBy.set(message, facts);
  }

  afterCommit(message: Incoming): void {
    const facts = this.issuedBy.get(message);
    if (!facts) return;
    const { number: receipt_number, receipt_id, payment_id, tenant } = facts;
    this.ports.logger.info({ event: 'receipt_issued', receipt_number, receipt_id, payment_id, tenant }, 'A receipt got its number');
    this.ports.issued();
  }
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
