import { baseSettings } from '@tidegate/service-host/base-config';
import { readConfig } from '@tidegate/service-host/config';
import { z } from 'zod';

export const gatewaySettings = z.object({ ...baseSettings({ port: 3000 }) });
export type GatewayConfig = z.infer<typeof gatewaySettings>;

export const gatewayConfig = (): Readonly<GatewayConfig> => readConfig(gatewaySettings);
