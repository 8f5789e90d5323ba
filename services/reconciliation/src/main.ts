import 'reflect-metadata';
import { host } from '@tidegate/service-host/host';
import { readReconciliationConfig } from './config.js';
import { FAILPOINTS } from './failpoints.js';
import { SERVICE, setup } from './reconciliation.module.js';

await host({ service: SERVICE, version: '0.1.0', config: readReconciliationConfig, failpoints: FAILPOINTS, setup });
