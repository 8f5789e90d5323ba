import 'reflect-metadata';
import { host } from '@tidegate/service-host/host';
import { gatewayConfig } from './config.js';
import { gateway } from './gateway.module.js';

await host({ service: 'gateway', version: '0.1.0', config: gatewayConfig, setup: gateway });
