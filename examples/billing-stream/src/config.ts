import { readConfig } from '@tidegate/service-host/config';
import { documented, url, wholeNumber } from '@tidegate/service-host/settings';
import { z } from 'zod';

const settings = z.object({
  PORT: documented(wholeNumber({ min: 0, max: 65_535 }).default(8080), { doc: 'Where the shop listens.' }),
  TIDEGATE_URL: documented(url('http', 'https'), { doc: "Tidegate's gateway, as browsers reach it." }),
  TIDEGATE_API_KEY: documented(z.string().min(1), { doc: 'A key with the scopes billing:stream and payments:read.', secret: true }),
});

export const shopConfig = () => readConfig(settings);
