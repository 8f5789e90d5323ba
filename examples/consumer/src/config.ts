import { z } from 'zod';

const consumer = z.object({
  /** The shop's own database, as the shop's role. */
  SHOP_DATABASE_URL: z.url(),
  /** Whose payments it ships. */
  SHOP_TENANT: z.string().min(1),
  /** Tidegate's broker, as the shop's user. */
  NATS_URL: z.url(),
});

const migration = z.object({
  /** The same database as somebody who may create schemas and roles. */
  SHOP_ADMIN_DATABASE_URL: z.url(),
  /** Password that the shop's login role gets. */
  SHOP_PASSWORD: z.string().min(1),
});

export const consumerConfig = () => consumer.parse(process.env);
export const migrationConfig = () => migration.parse(process.env);
