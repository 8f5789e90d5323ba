import type { HostSpec } from '@tidegate/service-host/service-parts';
import { receiptsConfig, type ReceiptsConfig } from './config.js';
import { FAILPOINTS } from './failpoints.js';
import { receipts } from './receipts.module.js';

/** What the host runs. */
export const hosted: HostSpec<ReceiptsConfig> = {
  service: 'receipts',
  version: '0.1.0',
  config: receiptsConfig,
  schema: 'receipts',
  failpoints: FAILPOINTS,
  setup: receipts,
};
