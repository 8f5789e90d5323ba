import { createLogger } from '@tidegate/telemetry/logger';
import { consumerConfig } from './config.js';
import { startConsumer } from './consumer.js';

const config = consumerConfig();
const logger = createLogger({ service: 'shop' });
const consumer = await startConsumer({ databaseUrl: config.SHOP_DATABASE_URL, natsUrl: config.NATS_URL, logger });
logger.info({ event: 'shop_started' }, 'Shipping what is paid for');
process.once('SIGTERM', () => void consumer.stop()).once('SIGINT', () => void consumer.stop());
