import { join } from 'node:path';
import { migrateConsumer } from '@tidegate/messaging/consumer-schema';
import { migrationConfig } from './config.js';

const { SHOP_ADMIN_DATABASE_URL, SHOP_PASSWORD } = migrationConfig();
const migrations = join(import.meta.dirname, '..', 'migrations');
const { applied } = await migrateConsumer(SHOP_ADMIN_DATABASE_URL, { schema: 'shop', password: SHOP_PASSWORD, migrations });
console.log(`${applied.length} migrations applied`);
