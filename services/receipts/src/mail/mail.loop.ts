import type { Logger } from '@tidegate/telemetry/logger';
import { mailReceipt, type MailPorts, type MailResult } from './mail.flow.js';
import { claimMails, type MailClaim } from './mail.store.js';

const BATCH = 8;

/** Mails the documents that are due. Any number of replicas may run it. */
export class MailLoop {
  constructor(private readonly ports: MailPorts & { logger: Logger; mailed: { inc(labels: { result: MailResult }): void } }) {}

  /** One batch side by side; answers how many it took up. */
  async runOnce(alive: () => void = () => undefined): Promise<number> {
    const claims = await claimMails(this.ports.db, this.ports.clock.now(), BATCH);
    await Promise.all(claims.map((claim) => this.mailOne(claim).finally(alive)));
    return claims.length;
  }

  private async mailOne(claim: MailClaim): Promise<void> {
    const about = { receipt_id: claim.receipt_id, payment_id: claim.payment_id };
    try {
      const result: MailResult = await mailReceipt(this.ports, claim);
      this.ports.mailed.inc({ result });
      if (result === 'sent') this.ports.logger.info({ event: 'receipt_mailed', ...about }, 'A receipt was mailed');
      else this.ports.logger.warn({ event: 'receipt_mail_failed', ...about, result }, 'A receipt was not certainly mailed');
    } catch (err) {
      this.ports.logger.error({ event: 'receipt_mail_failed', ...about, err }, 'A receipt could not be mailed; it is tried again');
    }
  }
}
