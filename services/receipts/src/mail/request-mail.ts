import type { Kysely, Transaction } from 'kysely';
import { loadReceipts, record } from '../receipt/receipt.record.js';
import type { ReceiptRow, Tables } from '../tables.js';

/** A mail of the document is going out: how that ends would be taken for the end of what is asked for now. */
export class MailUnderWay extends Error {
  override readonly name = 'MailUnderWay';
}

/** Records that somebody wants the document mailed once more; the mail loop does it. Throws MailUnderWay or WrongExpectedVersion. */
export async function requestMail(
  tx: Kysely<Tables>,
  { payment_id, receipt_id }: Pick<ReceiptRow, 'payment_id' | 'receipt_id'>,
  { now, correlationId }: { now: Date; correlationId: string },
): Promise<void> {
  const loaded = await loadReceipts(tx, payment_id);
  if (loaded.receipts.get(receipt_id)?.mail.state === 'sending') throw new MailUnderWay(receipt_id);
  const event = { type: 'ReceiptResendRequested', version: 1, data: { receipt_id, requested_at: now.toISOString() } } as const;
  const metadata = { correlation_id: correlationId, causation_id: null, traceparent: null };
  await record(tx as Transaction<Tables>, payment_id, loaded, event, metadata, now);
  await tx.deleteFrom('mailings').where('receipt_id', '=', receipt_id).execute();
}
