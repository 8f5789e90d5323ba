import { describe, expect, it } from '@jest/globals';
import { ConfigError, readConfig } from '@tidegate/service-host/config';
import { gatewaySettings } from './config.js';

const needed = { DATABASE_URL: 'postgres://gateway@127.0.0.1/tidegate', NATS_URL: 'nats://127.0.0.1' };
const origins = (text: string) => readConfig(gatewaySettings, { ...needed, BILLING_STREAM_ORIGINS: text }).BILLING_STREAM_ORIGINS;

describe('The origins that may follow the billing stream', () => {
  it('are none unless they are named', () => {
    expect(readConfig(gatewaySettings, needed).BILLING_STREAM_ORIGINS).toBeUndefined();
    expect(origins('https://shop.example, http://127.0.0.1:8080')).toEqual(['https://shop.example', 'http://127.0.0.1:8080']);
  });

  it.each(['*', 'null', 'shop.example', 'https://shop.example/', 'https://shop.example/billing', 'https://shop.example,*'])(
    'are not %s',
    (text) => {
      expect(() => origins(text)).toThrow(ConfigError);
    },
  );
});
