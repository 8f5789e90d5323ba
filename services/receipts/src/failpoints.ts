import { callFailpoints, commitFailpoints } from '@tidegate/database/failpoints';

/**
 * The service's own failpoints; messaging's come on top. Numbering has none of its own: it happens in the transaction
 * `receipts.receipts-payments.handle`. "Numbered, not rendered" is `receipts.render.compile.before_call`.
 */
export const FAILPOINTS: readonly string[] = [
  ...callFailpoints('receipts.render.compile'),
  ...commitFailpoints('receipts.render.store', 'receipts.render.fail'),
];
