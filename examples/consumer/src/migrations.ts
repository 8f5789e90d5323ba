import { fileURLToPath } from 'node:url';
import { migrate } from '@tidegate/database/migrate';

const folder = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

/** Brings the shop's database up to date: leases and inbox from Tidegate's libraries, then the shop's own table. */
export async function migrateShop(adminUrl: string, password: string): Promise<{ applied: string[] }> {
  const dirs = ['libs/database/migrations', 'libs/messaging/migrations', 'examples/consumer/migrations'];
  return migrate(adminUrl, { schema: 'shop', role: 'shop', password, dirs: dirs.map((id) => ({ id, path: folder(id) })) });
}
