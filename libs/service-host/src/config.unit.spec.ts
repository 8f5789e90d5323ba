import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { baseSettings } from './base-config.js';
import { ConfigError, readConfig } from './config.js';
import { commaSeparated, wholeNumber } from './settings.js';

const folder = mkdtempSync(join(tmpdir(), 'tidegate-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const schema = z.object({
  ...baseSettings({ port: 3002 }),
  STRIPE_SECRET_KEY: z
    .string()
    .regex(/^sk_test_/, 'must begin with sk_test_')
    .optional(),
});
const good = { DATABASE_URL: 'postgres://payments:pw@localhost/tidegate', NATS_URL: 'nats://payments:pw@localhost:4222' };

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(schema, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

describe('When the configuration is right', () => {
  it('fills in defaults and cannot be changed afterwards', () => {
    const config = readConfig(schema, { ...good, DB_POOL_SIZE: '4', LOG_LEVEL: '' });
    expect(config).toMatchObject({ PORT: 3002, HOST: '127.0.0.1', DB_POOL_SIZE: 4, LOG_LEVEL: 'info', REPLICA: 1 });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('takes a secret from a file', () => {
    const file = join(folder, 'database-url');
    writeFileSync(file, 'postgres://payments:other@localhost/tidegate\n');
    expect(readConfig(schema, { NATS_URL: good.NATS_URL, DATABASE_URL_FILE: file }).DATABASE_URL.value).toBe(
      'postgres://payments:other@localhost/tidegate',
    );
  });

  it('takes up another login of the database or the broker, and no other place, which would be used beside the first', () => {
    const { DATABASE_URL, NATS_URL } = readConfig(schema, good);
    expect(DATABASE_URL.replace('postgres://other:p%40ss@localhost/tidegate')).toEqual({ changed: true });
    expect(NATS_URL.replace('nats://payments:new@localhost:4222')).toEqual({ changed: true });
    for (const elsewhere of ['postgres://payments:pw@standby/tidegate', 'postgres://payments:pw@localhost/restored'])
      expect(DATABASE_URL.replace(elsewhere)).toEqual({ faults: ['the place of the database changes, which needs a restart'] });
    expect(NATS_URL.replace('nats://payments:new@standby:4222')).toEqual({
      faults: ['the place of the broker changes, which needs a restart'],
    });
  });

  it('reads lists and numbers', () => {
    const config = readConfig(z.object({ SECRETS: commaSeparated(), LIMIT: wholeNumber({ min: 1 }).default(20) }), { SECRETS: 'a, b,' });
    expect(config).toEqual({ SECRETS: ['a', 'b'], LIMIT: 20 });
  });
});

describe('When the configuration is wrong', () => {
  it('takes the servers of a cluster, each of which must be one', () => {
    const cluster = 'nats://payments:pw@n1:4222,nats://payments:pw@n2:4222';
    expect(readConfig(schema, { ...good, NATS_URL: cluster }).NATS_URL.value).toBe(cluster);
    expect(faultsOf({ ...good, NATS_URL: `${cluster},http://n3` }).join()).toContain(
      'NATS_URL: must be a URL that begins with nats:// or tls://',
    );
  });

  it('reports every fault at once, naming the variable and never its value', () => {
    const faults = faultsOf({ PORT: '70000', DB_POOL_SIZE: 'many', DATABASE_URL: 'mysql://hunter2', STRIPE_SECRET_KEY: 'hunter3' });

    expect(faults.map((fault) => fault.split(':')[0]).sort()).toEqual([
      'DATABASE_URL',
      'DB_POOL_SIZE',
      'NATS_URL',
      'PORT',
      'STRIPE_SECRET_KEY',
    ]);
    expect(faults).toContain('NATS_URL: is required');
    expect(faults.join()).not.toMatch(/hunter|many|70000/);
  });

  it('names a secret file that is not there, and a secret that is given twice', () => {
    expect(faultsOf({ ...good, STRIPE_SECRET_KEY_FILE: join(folder, 'absent') })).toEqual([
      'STRIPE_SECRET_KEY_FILE: the file cannot be read (ENOENT)',
    ]);
    const file = join(folder, 'nats-url');
    writeFileSync(file, good.NATS_URL);
    expect(faultsOf({ ...good, NATS_URL_FILE: file })).toEqual(['NATS_URL: both NATS_URL and NATS_URL_FILE are set; keep one']);
  });
});

describe('Drill settings', () => {
  const drill = { ...good, TIDEGATE_FAILPOINT: 'a:kill', TIDEGATE_CLOCK_URL: 'http://127.0.0.1:12111/__clock' };

  it('are refused when Stripe itself is, or could be, on the other side', () => {
    for (const stripe of [
      { STRIPE_API_BASE: 'https://api.stripe.com' },
      { STRIPE_SECRET_KEY: 'sk_test_1' },
      { STRIPE_API_BASE: 'rubbish' },
    ]) {
      expect(faultsOf({ ...drill, ...stripe })).toHaveLength(2);
    }
  });

  it('are taken with the simulator, and by services that never talk to Stripe', () => {
    expect(faultsOf({ ...drill, STRIPE_API_BASE: 'http://127.0.0.1:12111', STRIPE_SECRET_KEY: 'sk_test_1' })).toEqual([]);
    expect(faultsOf(drill)).toEqual([]);
  });
});
