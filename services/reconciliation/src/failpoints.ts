import { callFailpoints, commitFailpoints } from '@tidegate/database/failpoints';

/** Where a drill may kill, delay or fail this service, besides the places that messaging adds. */
export const FAILPOINTS: readonly string[] = [
  ...commitFailpoints('reconciliation.run.request', 'reconciliation.run.finish', 'reconciliation.balance.record'),
  ...callFailpoints('reconciliation.run.read', 'reconciliation.balance.read'),
];
