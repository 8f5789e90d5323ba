import { type EventContract } from '@tidegate/contracts/envelope';
import { receiptIssued, receiptRendered, receiptVoided } from '@tidegate/contracts/events/receipt';
import type { Metadata } from '@tidegate/event-store/append';
import { envelope, type OutboxMessage } from '@tidegate/messaging/outbox';
import type { ReceiptFacts } from '../document/receipt-facts.js';
import type { ReceiptEvent } from './receipt.events.js';
import type { Receipt } from './receipt.state.js';

/** The messages that tell others of an event; `receipt` is as it is after it. */
export function published(event: ReceiptEvent, receipt: Receipt, metadata: Metadata, occurredAt: Date): OutboxMessage[] {
  const { facts } = receipt;
  const message = (contract: EventContract, data: unknown): OutboxMessage => ({
    aggregate: facts.receipt_id,
    subject: contract.subject,
    envelope: envelope(contract, {
      tenant: facts.tenant,
      account: null,
      aggregateId: facts.receipt_id,
      aggregateVersion: receipt.published,
      occurredAt,
      correlationId: metadata.correlation_id,
      causationId: metadata.causation_id,
      traceparent: metadata.traceparent,
      data,
    }),
  });
  switch (event.type) {
    case 'ReceiptIssued':
      return [message(receiptIssued, issuedData(facts))];
    case 'ReceiptRendered': {
      const { receipt_id, sha256, template, engine } = event.data;
      const { payment_id, number, kind } = facts;
      return [message(receiptRendered, { receipt_id, payment_id, number, kind, sha256, template, engine })];
    }
    case 'CreditNoteVoided': {
      const { payment_id, number, refund } = facts;
      return [message(receiptVoided, { ...event.data, payment_id, number, kind: facts.kind, refund })];
    }
    case 'ReceiptRenderFailed':
    case 'ReceiptMailStarted':
    case 'ReceiptMailEnded':
    case 'ReceiptResendRequested':
      return [];
    default:
      return event satisfies never;
  }
}

function issuedData(facts: ReceiptFacts) {
  const { receipt_id, number, series, year, sequence, kind, payment_id, amount, currency, issued_at, refers_to, refund } = facts;
  const note = refers_to ? { refers_to, refund } : {};
  return { receipt_id, number, series, year, sequence, kind, payment_id, amount, currency, issued_at, ...note };
}
