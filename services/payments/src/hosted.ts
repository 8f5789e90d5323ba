import type { HostSpec } from '@tidegate/service-host/service-parts';
import { readPaymentsConfig, type PaymentsConfig } from './config.js';
import { FAILPOINTS } from './failpoints.js';
import { setup } from './payments.module.js';

/** What the host runs. */
export const hosted: HostSpec<PaymentsConfig> = {
  service: 'payments',
  version: '0.1.0',
  config: readPaymentsConfig,
  schema: 'payments',
  failpoints: FAILPOINTS,
  setup,
};
