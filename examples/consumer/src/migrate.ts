import { migrationConfig } from './config.js';
import { migrateShop } from './migrations.js';

const { SHOP_ADMIN_DATABASE_URL, SHOP_PASSWORD } = migrationConfig();
const { applied } = await migrateShop(SHOP_ADMIN_DATABASE_URL, SHOP_PASSWORD);
process.stdout.write(`${applied.length} migrations applied\n`);
