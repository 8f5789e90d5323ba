import { baseSettings } from '@tidegate/service-host/base-config';
import { readConfig } from '@tidegate/service-host/config';
import { documented, wholeNumber } from '@tidegate/service-host/settings';
import { z } from 'zod';

export const gatewaySettings = z.object({
  ...baseSettings({ port: 3000 }),
  GATEWAY_ANSWER_MS: documented(wholeNumber({ min: 100, max: 25_000 }).default(25_000), {
    doc: 'A request that its service has not answered by then gets 503; longer than PAYMENT_ANSWER_MS, within which payments answers.',
    unit: 'milliseconds',
  }),
});
export type GatewayConfig = z.infer<typeof gatewaySettings>;

export const gatewayConfig = (): Readonly<GatewayConfig> => readConfig(gatewaySettings);
