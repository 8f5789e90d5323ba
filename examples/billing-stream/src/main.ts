import { shopConfig } from './config.js';
import { startShop } from './shop.js';

const { PORT, TIDEGATE_URL, TIDEGATE_API_KEY } = shopConfig();
const shop = await startShop({ port: PORT, tidegateUrl: TIDEGATE_URL, apiKey: TIDEGATE_API_KEY });
process.stdout.write(`Open ${shop.url}\n`);
process.once('SIGTERM', () => void shop.stop()).once('SIGINT', () => void shop.stop());
