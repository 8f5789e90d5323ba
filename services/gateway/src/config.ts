import { baseSettings } from '@tidegate/service-host/base-config';
import { readConfig } from '@tidegate/service-host/config';
import { commaSeparated, documented, flag, wholeNumber } from '@tidegate/service-host/settings';
import { z } from 'zod';

const isOrigin = (text: string): boolean => URL.canParse(text) && new URL(text).origin === text;

export const gatewaySettings = z.object({
  ...baseSettings({ port: 3000 }),
  GATEWAY_ANSWER_MS: documented(wholeNumber({ min: 100, max: 25_000 }).default(25_000), {
    doc: 'A request that its service has not answered by then gets 503; longer than PAYMENT_ANSWER_MS, within which payments answers.',
    unit: 'milliseconds',
  }),
  ENABLE_BILLING_STREAM: documented(flag().default(true), {
    doc: 'Whether `/v1/billing/stream` is offered. When not, it answers 404, and this process reads nothing from the broker.',
  }),
  BILLING_STREAM_ORIGINS: documented(
    commaSeparated()
      .refine((origins) => origins.every(isOrigin), 'must be origins such as https://shop.example, no more than that')
      .optional(),
    {
      doc: 'Web pages that may follow the billing stream in a browser, by a stream token: their origins, comma-separated. None when absent.',
    },
  ),
  BILLING_STREAM_MAX_CONNECTIONS: documented(wholeNumber({ min: 1, max: 100_000 }).default(2_000), {
    doc: 'Most connections to the billing stream at one process; beyond it the answer is 503.',
    unit: 'connections',
  }),
  BILLING_STREAM_MAX_AGE_SECONDS: documented(wholeNumber({ min: 1, max: 86_400 }).default(900), {
    doc: 'Oldest age of a connection to the billing stream; it is ended at 80 to 100 % of it, and its client resumes.',
    unit: 'seconds',
  }),
  BILLING_STREAM_HEARTBEAT_SECONDS: documented(wholeNumber({ min: 1, max: 300 }).default(15), {
    doc: 'A connection to the billing stream is written to at least so often; the API key behind it is looked at as often.',
    unit: 'seconds',
  }),
  BILLING_STREAM_STALL_SECONDS: documented(wholeNumber({ min: 1, max: 300 }).default(10), {
    doc: 'A client of the billing stream that has not taken what was sent for so long is cut off.',
    unit: 'seconds',
  }),
});
export type GatewayConfig = z.infer<typeof gatewaySettings>;

export const gatewayConfig = (): Readonly<GatewayConfig> => readConfig(gatewaySettings);
