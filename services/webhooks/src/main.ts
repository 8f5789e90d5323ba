import 'reflect-metadata';
import { host } from '@tidegate/service-host/host';
import { readWebhooksConfig } from './config.js';
import { FAILPOINTS } from './failpoints.js';
import { MAX_BODY_BYTES } from './ingest/webhook.route.js';
import { SERVICE, setup } from './webhooks.module.js';

await host({
  service: SERVICE,
  version: '0.1.0',
  config: readWebhooksConfig,
  failpoints: FAILPOINTS,
  bodyLimit: MAX_BODY_BYTES,
  readyWithoutBroker: true,
  setup,
});
