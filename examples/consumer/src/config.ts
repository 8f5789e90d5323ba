import { readConfig } from '@tidegate/service-host/config';
import { documented, url } from '@tidegate/service-host/settings';
import { z } from 'zod';

const consumer = z.object({
  SHOP_DATABASE_URL: documented(url('postgres', 'postgresql'), { doc: "The shop's own database.", secret: true }),
  NATS_URL: documented(url('nats', 'tls'), { doc: "Tidegate's broker, as the shop's own user.", secret: true }),
});

const migration = z.object({
  SHOP_ADMIN_DATABASE_URL: documented(url('postgres', 'postgresql'), {
    doc: 'The same database as somebody who may create schemas and roles.',
    secret: true,
  }),
  SHOP_PASSWORD: documented(z.string().min(1), { doc: "Password that the shop's login role gets.", secret: true }),
});

export const consumerConfig = () => readConfig(consumer);
export const migrationConfig = () => readConfig(migration);
