import { join } from 'node:path';
import { writePrivately } from './private-file.js';
import { type Stack } from './stack.js';

/** Writes what scripts read: `stack.json` (processes), `local.env` (addresses and keys), `failpoints.json`. Only the owner may read them. */
export function writeStackFiles(stack: Stack, failpoints: readonly string[]): void {
  writePrivately(join(stack.dir, 'stack.json'), json(stack.processes()));
  writePrivately(join(stack.dir, 'local.env'), environmentFile(localEnvironment(stack)));
  writePrivately(join(stack.dir, 'failpoints.json'), json(failpoints));
}

/** The variables of `local.env`. */
export function localEnvironment(stack: Stack): Record<string, string> {
  const { urls, stripe } = stack;
  return {
    TIDEGATE_URL: urls.gateway[0] ?? '',
    TIDEGATE_WEBHOOKS_URL: urls.webhooks[0] ?? '',
    ...(stack.hasKeys ? { TIDEGATE_API_KEY: stack.keys.default, TIDEGATE_API_KEY_OTHER: stack.keys.other } : {}),
    STRIPE_API_BASE: urls.simulator,
    STRIPE_SECRET_KEY: stripe.secretKey,
    STRIPE_WEBHOOK_SECRET: stripe.webhookSecret,
    DATABASE_URL: stack.databaseUrl(),
    NATS_URL: stack.natsUrl(),
  };
}

function environmentFile(variables: Record<string, string>): string {
  return Object.entries(variables)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
