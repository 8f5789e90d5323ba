import type { Logger } from '@tidegate/telemetry/logger';
import { type DocumentPorts, ReceiptParked, renderReceipt } from './document.flow.js';
import { type Claim, claimMissing } from './document.store.js';

/** In hand at once: enough to hide the waits for payments and for commits, and few enough for a share of the connections and for one lease. */
const BATCH = 16;

/** Renders the receipts that have a number and no document. Any number of replicas may run it. */
export class DocumentLoop {
  constructor(private readonly ports: DocumentPorts & { logger: Logger }) {}

  /**
   * One batch, all of it side by side; answers how many it took up. A receipt that fails does not stop the others. `alive` is called after each.
   */
  async runOnce(alive: () => void = () => undefined): Promise<number> {
    const claims = await claimMissing(this.ports.db, this.ports.clock.now(), BATCH);
    await Promise.all(claims.map((claim) => this.renderOne(claim).finally(alive)));
    return claims.length;
  }

  private async renderOne({ receipt_id, payment_id, attempts }: Claim): Promise<void> {
    try {
      await renderReceipt(this.ports, { paymentId: payment_id, receiptId: receipt_id, trace: 'of_issue', standing: 'as_shown' });
    } catch (err) {
      const fields = { receipt_id, payment_id, attempts, err };
      if (err instanceof ReceiptParked)
        this.ports.logger.error({ event: 'receipt_parked', ...fields }, 'The document of a receipt is given up until somebody asks for it');
      else
        this.ports.logger.error(
          { event: 'receipt_render_failed', ...fields },
          'The document of a receipt could not be made; it is tried again',
        );
    }
  }
}
