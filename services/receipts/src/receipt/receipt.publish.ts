import { type EventContract } from '@tidegate/contracts/envelope';
import { receiptIssued, receiptRendered } from '@tidegate/contracts/events/receipt';
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
      return [message(receiptRendered, { receipt_id, payment_id: facts.payment_id, number: facts.number, sha256, template, engine })];
    }
    case 'ReceiptRenderFailed':
      return [];
    default:
      return event satisfies never;
  }
}

function issuedData(facts: ReceiptFacts) {
  const { receipt_id, number, series, year, sequence, kind, payment_id, amount, currency, issued_at } = facts;
  return { receipt_id, number, series, year, sequence, kind, payment_id, amount, currency, issued_at };
}
