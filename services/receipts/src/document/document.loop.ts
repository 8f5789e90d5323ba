import type { Logger } from '@tidegate/telemetry/logger';
import { type DocumentPorts, renderReceipt } from './document.flow.js';
import { type Claim, claimMissing } from './document.store.js';

const BATCH = 8;

/** Renders the receipts that have a number and no document. Any number of replicas may run it. */
export class DocumentLoop {
  constructor(private readonly ports: DocumentPorts & { logger: Logger }) {}

  /** One batch; answers how many it took up. A receipt that fails does not stop the others. */
  async runOnce(): Promise<number> {
    const claims = await claimMissing(this.ports.db, this.ports.clock.now(), BATCH);
    for (const claim of claims) await this.renderOne(claim);
    return claims.length;
  }

  private async renderOne({ receipt_id, payment_id, attempts }: Claim): Promise<void> {
    try {
      await renderReceipt(this.ports, payment_id, receipt_id, 'of_issue');
    } catch (err) {
      this.ports.logger.error(
        { event: 'receipt_render_failed', receipt_id, payment_id, attempts, err },
        'The document of a receipt could not be made; it is tried again',
      );
    }
  }
}
