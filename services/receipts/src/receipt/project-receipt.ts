import type { StoredEvent } from '@tidegate/event-store/read';
import type { Kysely } from 'kysely';
import type { ReceiptRow, Tables } from '../tables.js';
import { asReceiptEvent, type ReceiptIssued } from './receipt.events.js';

/** Brings the projection up to one event. The only writer of `receipts`, live and in a rebuild. */
export async function project(tx: Kysely<Tables>, stored: Pick<StoredEvent, 'type' | 'version' | 'data'>): Promise<void> {
  // Of no receipt.
  if (stored.type === 'ReceiptLost') return;
  const event = asReceiptEvent(stored);
  const { receipt_id } = event.data;
  const set = (values: Partial<ReceiptRow>) => tx.updateTable('receipts').set(values).where('receipt_id', '=', receipt_id);
  switch (event.type) {
    case 'ReceiptIssued':
      await tx.insertInto('receipts').values(rowOf(event)).execute();
      return;
    case 'ReceiptRendered': {
      const { sha256, template, engine, fonts, input = null, mail } = event.data;
      const mailing = mail ? { mail } : {};
      await set({ sha256, template, engine, fonts, input, status: 'rendered', error: null, ...mailing }).execute();
      return;
    }
    case 'ReceiptRenderFailed':
      await set({ status: 'failed', error: event.data.error }).where('sha256', 'is', null).execute();
      return;
    case 'CreditNoteVoided': {
      const voided_at = new Date(event.data.voided_at);
      await set({ ...noDocument, status: 'issued', voided_at, wanted_at: voided_at }).execute();
      return;
    }
    case 'ReceiptMailStarted':
      await set({ mail: 'sending', mails: event.data.mail }).execute();
      return;
    case 'ReceiptMailEnded': {
      const { result, final, error, at } = event.data;
      await set({ mail: result === 'refused' && !final ? 'due' : result, mail_error: error, mailed_at: new Date(at) }).execute();
      return;
    }
    case 'ReceiptResendRequested':
      await set({ mail: 'due', mail_error: null }).execute();
      return;
    default:
      return event satisfies never;
  }
}

const noDocument = { error: null, sha256: null, template: null, engine: null, fonts: null, input: null };
const noMail = { mail: 'none', mails: 0, mailed_at: null, mail_error: null } as const;

function rowOf({ data }: ReceiptIssued): ReceiptRow {
  const { receipt_id, tenant, payment_id, kind, series, year, sequence, number, amount, currency } = data;
  return {
    ...{ receipt_id, tenant, payment_id, kind, series, year, sequence, number, amount, currency },
    issued_at: new Date(data.issued_at),
    status: 'issued',
    refund_id: data.refund?.id ?? null,
    refers_to: data.refers_to?.receipt_id ?? null,
    voided_at: null,
    wanted_at: null,
    verification: data.verification?.token ?? null,
    ...noDocument,
    ...noMail,
  };
}
