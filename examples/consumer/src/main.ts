import { consumerConfig } from './config.js';
import { startShop } from './shop.js';

const { SHOP_DATABASE_URL, SHOP_TENANT, NATS_URL } = consumerConfig();
const shop = await startShop({ tenant: SHOP_TENANT, databaseUrl: SHOP_DATABASE_URL, natsUrl: NATS_URL });
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void shop.stop());
