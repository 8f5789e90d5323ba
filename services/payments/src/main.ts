import 'reflect-metadata';
import { host } from '@tidegate/service-host/host';
import { readPaymentsConfig } from './config.js';
import { FAILPOINTS } from './failpoints.js';
import { setup } from './payments.module.js';

await host({ service: 'payments', version: '0.1.0', config: readPaymentsConfig(), failpoints: FAILPOINTS, setup });
