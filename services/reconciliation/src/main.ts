import 'reflect-metadata';
import { host } from '@tidegate/service-host/host';
import { hosted } from './hosted.js';

await host(hosted);
