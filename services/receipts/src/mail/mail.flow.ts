import { WrongExpectedVersion } from '@tidegate/event-store/append';
import type { Transaction } from 'kysely';
import { documentOf } from '../document/document-on-read.js';
import { type DocumentPorts, issued, type Issued } from '../document/document.flow.js';
import type { ReceiptEvent } from '../receipt/receipt.events.js';
import { record } from '../receipt/receipt.record.js';
import { findReceipt } from '../receipt/receipt.store.js';
import type { Tables } from '../tables.js';
import { dropMailClaim, type MailClaim, releaseMailClaim } from './mail.store.js';
import { mailText } from './mail-text.js';
import type { Mailer, MailOutcome } from './mailer.js';

export interface MailPorts extends DocumentPorts {
  mailer: Pick<Mailer, 'send'>;
}

export const MAIL_RESULTS = ['sent', 'refused', 'unknown', 'retry', 'no_address'] as const;
export type MailResult = (typeof MAIL_RESULTS)[number];

/**
 * Mails one document: puts on record that a mail begins, speaks to the mail server, puts on record how it ended. Whoever dies in between leaves `sending` behind, which
 * becomes `unknown`: it may have arrived, so it is not sent again by itself.
 */
export async function mailReceipt(ports: MailPorts, claim: MailClaim): Promise<MailResult> {
  const { receipt_id, payment_id } = claim;
  if (claim.mail === 'sending') return end(ports, claim, { kind: 'unknown', error: 'whoever began it died' });
  const receipt = await issued(ports.db, payment_id, receipt_id);
  const row = await findReceipt(ports.db, null, receipt_id);
  if (!row || receipt.voidedAt !== null) return end(ports, claim, { kind: 'refused', final: true, error: 'voided' });
  const details = await ports.payers.of(receipt.facts, receipt.origin?.correlation_id ?? receipt_id);
  if (details.receipt_email === null) {
    await end(ports, claim, { kind: 'refused', final: true, error: 'no_address' });
    return 'no_address';
  }
  const { pdf } = await documentOf(ports, row);
  const mail = receipt.mail.count + 1;
  const began = await append(ports, receipt, { type: 'ReceiptMailStarted', version: 1, data: { receipt_id, mail } });
  // Somebody else recorded something of this payment meanwhile: it is due again.
  if (!began) return 'retry';
  const words = mailText(receipt.facts, details);
  const outcome = await ports.mailer.send({
    ...words,
    messageId: `<${receipt_id}.${mail}@receipts.tidegate>`,
    to: details.receipt_email,
    attachment: { name: `${receipt.facts.number.replace(/[^A-Za-z0-9._-]/g, '_')}.pdf`, pdf },
  });
  return end(ports, claim, outcome);
}

/** Puts on record how it ended; tried until it is, because only that keeps the mail from being `unknown`. */
async function end(ports: MailPorts, { receipt_id, payment_id }: MailClaim, outcome: MailOutcome): Promise<MailResult> {
  const at = ports.clock.now().toISOString();
  const final = outcome.kind !== 'refused' || outcome.final;
  const error = outcome.kind === 'sent' ? null : outcome.error;
  for (;;) {
    const receipt = await issued(ports.db, payment_id, receipt_id);
    const data = { receipt_id, mail: receipt.mail.count, result: outcome.kind, final, error, at };
    const along = (tx: Transaction<Tables>) => (final ? dropMailClaim(tx, receipt_id) : releaseMailClaim(tx, receipt_id));
    if (await append(ports, receipt, { type: 'ReceiptMailEnded', version: 1, data }, along)) break;
  }
  return final ? outcome.kind : 'retry';
}

/** Whether it was recorded; false when another event of the payment came first. */
async function append(
  ports: MailPorts,
  { facts, loaded, origin }: Issued,
  event: ReceiptEvent,
  along: (tx: Transaction<Tables>) => Promise<void> = async () => undefined,
): Promise<boolean> {
  const metadata = { correlation_id: origin?.correlation_id ?? facts.receipt_id, causation_id: null, traceparent: null };
  try {
    await ports.db.transaction().execute(async (tx) => {
      await record(tx, facts.payment_id, loaded, event, metadata, ports.clock.now());
      await along(tx);
    });
    return true;
  } catch (error) {
    if (error instanceof WrongExpectedVersion) return false;
    throw error;
  }
}
