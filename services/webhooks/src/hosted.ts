import type { HostSpec } from '@tidegate/service-host/service-parts';
import { readWebhooksConfig, type WebhooksConfig } from './config.js';
import { FAILPOINTS } from './failpoints.js';
import { MAX_BODY_BYTES } from './ingest/webhook.route.js';
import { setup } from './webhooks.module.js';

/** What the host runs. */
export const hosted: HostSpec<WebhooksConfig> = {
  service: 'webhooks',
  version: '0.1.0',
  config: readWebhooksConfig,
  schema: 'webhooks',
  failpoints: FAILPOINTS,
  bodyLimit: MAX_BODY_BYTES,
  readyWithoutBroker: true,
  setup,
};
