// Makes the passwords that compose.yaml mounts, into deploy/compose/secrets, once: what is there is kept. Stripe's two secrets come from the environment
// (STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET); without them, made-up ones for the simulator. Those of S3 come from there too (AWS_ACCESS_KEY_ID,
// AWS_SECRET_ACCESS_KEY), for whoever keeps receipts in a bucket.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, 'secrets');
const services = ['gateway', 'webhooks', 'payments', 'reconciliation', 'receipts'];
const users = [...services, 'admin', 'sys', 'route'];

if (existsSync(folder)) {
  console.error(`${folder} is there already; delete it to make new secrets, with the volumes of the old ones.`);
  process.exit(1);
}
/** Begins with a letter, so that no configuration takes it for a number. */
const password = () => `p${randomBytes(18).toString('hex')}`;
const write = (name, value) => writeFileSync(join(folder, name), `${value}\n`, { mode: 0o644 });

// The folder is for its owner alone; the files are mounted one by one and read by the user of the container.
mkdirSync(folder, { mode: 0o700 });
const postgres = password();
write('postgres_password', postgres);
write('admin_database_url', `postgres://postgres:${postgres}@postgres:5432/tidegate`);
const nats = Object.fromEntries(users.map((user) => [user, password()]));
const servers = ['nats-1', 'nats-2', 'nats-3'];
for (const service of services) {
  write(`${service}_database_url`, `postgres://${service}:${password()}@postgres:5432/tidegate`);
  write(`${service}_nats_url`, servers.map((server) => `nats://${service}:${nats[service]}@${server}:4222`).join(','));
}
const passwords = users.map((user) => `NATS_${user.toUpperCase()}_PASSWORD=${nats[user]}`);
const routes = `NATS_ROUTES=${JSON.stringify(servers.map((server) => `nats://route:${nats.route}@${server}:6222`))}`;
write('nats.env', [...passwords, routes].join('\n'));
write('stripe_secret_key', process.env.STRIPE_SECRET_KEY ?? `sk_test_${randomBytes(18).toString('hex')}`);
write('stripe_webhook_secret', process.env.STRIPE_WEBHOOK_SECRET ?? `whsec_${randomBytes(18).toString('hex')}`);
const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret } = process.env;
write(
  's3_credentials',
  id && secret ? `[default]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}` : '# Receipts are in PostgreSQL.',
);
write('grafana_admin_password', password());
console.log(`Secrets are in ${folder}.`);
