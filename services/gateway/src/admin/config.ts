import { readConfig } from '@tidegate/service-host/config';
import { documented, url } from '@tidegate/service-host/settings';
import { z } from 'zod';

const settings = z.object({
  DATABASE_URL: documented(url('postgres', 'postgresql'), { doc: "PostgreSQL, as the gateway's role or the administrator.", secret: true }),
});

export const adminDatabaseUrl = (): string => readConfig(settings).DATABASE_URL;
