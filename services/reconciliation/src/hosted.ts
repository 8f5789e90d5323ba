import type { HostSpec } from '@tidegate/service-host/service-parts';
import { readReconciliationConfig, type ReconciliationConfig } from './config.js';
import { FAILPOINTS } from './failpoints.js';
import { setup } from './reconciliation.module.js';

/** What the host runs. */
export const hosted: HostSpec<ReconciliationConfig> = {
  service: 'reconciliation',
  version: '0.1.0',
  config: readReconciliationConfig,
  schema: 'reconciliation',
  failpoints: FAILPOINTS,
  setup,
};
