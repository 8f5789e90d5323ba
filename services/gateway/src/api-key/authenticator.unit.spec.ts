import { describe, expect, it } from '@jest/globals';
import type { ApiKey } from './api-key.store.js';
import { Authenticator } from './authenticator.js';
import { hashOf, newKey } from './key-format.js';

function stored(overrides: Partial<ApiKey> = {}): { key: string; row: ApiKey } {
  const { id, key } = newKey('test');
  return {
    key,
    row: {
      id,
      tenant: 'default',
      hash: hashOf(key),
      livemode: false,
      scopes: ['payments:read'],
      expires_at: null,
      revoked_at: null,
      ...overrides,
    },
  };
}

describe('When the key is good', () => {
  it('names tenant, actor, mode and scopes', async () => {
    const { key, row } = stored();
    const caller = await new Authenticator(() => Promise.resolve(row)).authenticate(key);
    expect(caller).toEqual({ tenant: 'default', actor: `key:${row.id}`, livemode: false, scopes: ['payments:read'] });
  });

  it('asks the database once for many requests, and again after 5 seconds', async () => {
    const { key, row } = stored();
    let [asked, now] = [0, 0];
    const authenticator = new Authenticator(
      () => {
        asked += 1;
        return Promise.resolve(row);
      },
      () => now,
    );

    await Promise.all(Array.from({ length: 20 }, () => authenticator.authenticate(key)));
    now = 4999;
    await authenticator.authenticate(key);
    expect(asked).toBe(1);
    now = 5000;
    await authenticator.authenticate(key);
    expect(asked).toBe(2);
  });
});

describe('When the key is not good', () => {
  it.each([
    ['revoked', { revoked_at: new Date(0) }],
    ['expired', { expires_at: new Date(1000) }],
    ["another key's id with a wrong secret", { hash: hashOf('other') }],
  ])('is nobody: %s', async (_why, overrides) => {
    const { key, row } = stored(overrides);
    expect(
      await new Authenticator(
        () => Promise.resolve(row),
        () => 1000,
      ).authenticate(key),
    ).toBeNull();
  });

  it('is nobody within 5 seconds of being revoked at another gateway, also when the clock is set back an hour then', async () => {
    const { key, row } = stored();
    let now = 3_600_000;
    let found = row;
    const authenticator = new Authenticator(
      () => Promise.resolve(found),
      () => now,
    );
    expect(await authenticator.authenticate(key)).not.toBeNull();
    found = { ...row, revoked_at: new Date(now) };
    now = 5000;
    expect(await authenticator.authenticate(key)).toBeNull();
  });

  it('does not ask the database for a malformed one', async () => {
    const authenticator = new Authenticator(() => Promise.reject(new Error('must not be asked')));
    expect(await authenticator.authenticate('nonsense')).toBeNull();
  });
});

describe('When the database is away', () => {
  it('says so instead of calling the key invalid, and asks again for the next request', async () => {
    const { key, row } = stored();
    let away = true;
    const authenticator = new Authenticator(() => (away ? Promise.reject(new Error('away')) : Promise.resolve(row)));

    await expect(authenticator.authenticate(key)).rejects.toThrow('away');
    away = false;
    expect(await authenticator.authenticate(key)).not.toBeNull();
  });
});
