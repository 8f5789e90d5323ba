import { describe, expect, it } from '@jest/globals';
import { type NatsConfig, configFile } from '../src/nats-server/config-file.js';
import { archiveName, pinnedVersion, releasePlatform, releases } from '../src/nats-server/releases.js';
import { isAtLeast } from '../src/nats-server/version.js';

const config: NatsConfig = {
  port: 4222,
  store: '/data/nats',
  users: [
    { user: 'admin', password: 'a' },
    {
      user: 'payments',
      password: 'p',
      permissions: { publish: { allow: ['payments.events.>'] }, subscribe: { allow: ['_INBOX_payments.>'] } },
    },
  ],
  maxFileStoreBytes: 1000,
  maxMemoryBytes: 100,
  syncAlways: true,
};

describe('When the configuration of nats-server is written', () => {
  it('limits the store and each user', () => {
    const text = configFile(config, '2.14.5');
    expect(text).toContain('max_file_store: 1000');
    expect(text).toContain('max_memory_store: 100');
    expect(text).toContain('max_payload: 8388608');
    expect(text).toContain('host: 127.0.0.1');
    expect(text).toContain(
      '{ user: "payments", password: "p", permissions: { publish: { allow: ["payments.events.>"] }, subscribe: { allow: ["_INBOX_payments.>"] } } }',
    );
  });

  it('asks to write through only a version that knows how to', () => {
    expect(configFile(config, '2.10.0')).toContain('sync_interval: always');
    expect(configFile(config, '2.9.10')).not.toContain('sync_interval');
    expect(configFile({ ...config, syncAlways: false }, '2.14.5')).not.toContain('sync_interval');
  });
});

describe('When versions and releases are compared', () => {
  it.each([
    ['2.9.10', '2.9.10', true],
    ['2.9.9', '2.9.10', false],
    ['2.14.5', '2.9.10', true],
    ['3.0.0', '2.14.5', true],
    ['1.99.99', '2.0.0', false],
  ])('%s is at least %s: %s', (version, floor, expected) => {
    expect(isAtLeast(version, floor)).toBe(expected);
  });

  it('knows the checksum of the pinned version for every platform that Tidegate runs on', () => {
    for (const platform of ['linux-amd64', 'linux-arm64', 'darwin-amd64', 'darwin-arm64'])
      expect(releases[pinnedVersion]?.[platform]).toMatch(/^[0-9a-f]{64}$/);
    expect(archiveName('2.14.5', releasePlatform('linux', 'x64'))).toBe('nats-server-v2.14.5-linux-amd64.tar.gz');
    expect(releasePlatform('darwin', 'arm64')).toBe('darwin-arm64');
  });
});
