import { join } from 'node:path';
import { type Product } from '../src/stack/product.js';

/** A product whose every program is `toy-service.mjs`, and which needs nothing of its database and broker. */
export function toyProduct(changes: Partial<Product> = {}): Product {
  return {
    program: () => join(import.meta.dirname, 'toy-service.mjs'),
    migrate: () => Promise.resolve(),
    natsPermissions: () => Promise.resolve(undefined),
    failpoints: () => Promise.resolve(['payments.create.intent.before_call']),
    webhookEvents: () => Promise.resolve(['charge.succeeded', 'charge.failed']),
    createTenantsAndKeys: () => Promise.resolve({ default: 'tg_test_default', other: 'tg_test_other' }),
    ...changes,
  };
}
