import 'reflect-metadata';
import { host } from '@tidegate/service-host/host';
import { receiptsConfig } from './config.js';
import { FAILPOINTS } from './failpoints.js';
import { receipts } from './receipts.module.js';

await host({ service: 'receipts', version: '0.1.0', config: receiptsConfig, failpoints: FAILPOINTS, setup: receipts });
