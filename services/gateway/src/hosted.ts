import type { HostSpec } from '@tidegate/service-host/service-parts';
import { type GatewayConfig, gatewayConfig } from './config.js';
import { gateway } from './gateway.module.js';

/** What the host runs. */
export const hosted: HostSpec<GatewayConfig> = {
  service: 'gateway',
  version: '0.1.0',
  config: gatewayConfig,
  schema: 'gateway',
  setup: gateway,
};
