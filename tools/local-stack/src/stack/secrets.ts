import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { serviceNames } from './services.js';
import { writePrivately } from './private-file.js';

/** What the processes of one stack authenticate to each other with. Made once, kept in `secrets.json` of its folder, readable for its owner only. */
export interface Secrets {
  /** Passwords of the database's login roles. */
  roles: Record<string, string>;
  /** Passwords of the broker's users. */
  nats: Record<string, string>;
  /** What the simulator accepts and signs with. */
  stripeSecretKey: string;
  stripeWebhookSecret: string;
  /** The gateway's keys by tenant, once they were created. */
  apiKeys?: ApiKeys;
}

export interface ApiKeys {
  default: string;
  other: string;
}

/** The secrets in a folder, made now when there are none. */
export function secretsIn(folder: string): Secrets {
  const file = join(folder, 'secrets.json');
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Secrets;
  const secrets: Secrets = {
    roles: Object.fromEntries(serviceNames.map((name) => [name, randomPassword()])),
    nats: Object.fromEntries([...serviceNames, 'admin'].map((name) => [name, randomPassword()])),
    stripeSecretKey: `sk_test_${randomPassword()}`,
    stripeWebhookSecret: `whsec_${randomPassword()}`,
  };
  saveSecrets(folder, secrets);
  return secrets;
}

export function saveSecrets(folder: string, secrets: Secrets): void {
  writePrivately(join(folder, 'secrets.json'), `${JSON.stringify(secrets, null, 2)}\n`);
}

/** Letters and digits only, for URLs, configuration files and shells alike. */
function randomPassword(): string {
  return randomBytes(18).toString('hex');
}
