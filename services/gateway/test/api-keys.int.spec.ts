import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ApiKeyView, NewApiKeyView, RotatedApiKeyView } from '@tidegate/contracts/ops/api-keys';
import { readConfig } from '@tidegate/service-host/config';
import { type RunningService, startService } from '@tidegate/service-host/host';
import { createLogger } from '@tidegate/telemetry/logger';
import { eventually } from '@tidegate/test-harness/eventually';
import pg from 'pg';
import { PNG } from 'pngjs';
import { gatewaySettings } from '../src/config.js';
import { gateway as parts } from '../src/gateway.module.js';
import { runGateway, type RunningGateway } from './running-gateway.js';

let gateway: RunningGateway;
/** Another replica, on the same database. */
let second: RunningService;
let database: pg.Client;
beforeAll(async () => {
  gateway = await runGateway();
  const config = readConfig(gatewaySettings, {
    PORT: '0',
    SHUTDOWN_GRACE_SECONDS: '0',
    DATABASE_URL: gateway.database.urlFor('gateway'),
    NATS_URL: gateway.nats.url(),
  });
  second = await startService(
    { service: 'gateway', version: 'test', config, setup: parts },
    createLogger({ service: 'gateway', level: 'silent' }),
  );
  database = new pg.Client({ connectionString: gateway.database.url });
  await database.connect();
}, 120_000);
afterAll(async () => {
  await database?.end();
  await second?.stop();
  await gateway?.stop();
});

const post = (path: string, body: object) =>
  gateway.fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
const made = async <T = NewApiKeyView>(path: string, body: object): Promise<T> => {
  const response = await post(path, body);
  expect(response.status).toBe(201);
  return (await response.json()) as T;
};
const newKey = (change: object = {}) =>
  made('/v1/ops/api-keys', { tenant: 'default', scopes: ['payments:read'], reason: 'a new shop', ...change });
const statusAt = async (url: string, key: string) =>
  (await fetch(`${url}/v1/payments`, { headers: { authorization: `Bearer ${key}` } })).status;
const actionsOn = async (target: string) => {
  const { rows } = await database.query(
    'select actor, action, target, reason from gateway.operator_actions where target = $1 order by id',
    [target],
  );
  return rows as { actor: string; action: string; reason: string }[];
};

describe('When a key is made', () => {
  it('works at once at every gateway, and is shown once', async () => {
    const { id, key } = await newKey();
    expect(await statusAt(gateway.url, key)).toBe(200);
    expect(await statusAt(second.url, key)).toBe(200);
    const listed = (await (await gateway.fetch('/v1/ops/api-keys?tenant=default&limit=100')).json()) as { data: ApiKeyView[] };
    expect(listed.data.find((one) => one.id === id)).toMatchObject({ tenant: 'default', scopes: ['payments:read'], status: 'active' });
    expect(JSON.stringify(listed)).not.toContain(key);
    const { rows } = await database.query('select to_jsonb(k)::text as row from gateway.api_keys k');
    expect(JSON.stringify(rows)).not.toContain(key);
    expect(gateway.logs.join('')).not.toContain(key);
  });

  it('is written down with who and why, and logged', async () => {
    const { id } = await newKey({ reason: 'shop in Lyon' });
    expect(await actionsOn(id)).toEqual([
      { actor: expect.stringMatching(/^key:/), action: 'api_key.create', target: id, reason: 'shop in Lyon' },
    ]);
    expect(gateway.logs.some((line) => line.includes('"operator_action"') && line.includes('shop in Lyon'))).toBe(true);
  });

  it('needs a tenant that exists', async () => {
    const response = await post('/v1/ops/api-keys', { tenant: 'nobody', scopes: ['payments:read'], reason: 'x' });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: 'not_found', detail: expect.stringContaining('nobody') });
  });

  it('ends by itself when it was told to', async () => {
    const { key } = await newKey({ expires_at: new Date(Date.now() - 1000).toISOString() });
    expect(await statusAt(gateway.url, key)).toBe(401);
  });
});

describe('When a key is rotated', () => {
  it('both work during the overlap, then only the new one', async () => {
    const old = await newKey();
    const next = await made<RotatedApiKeyView>(`/v1/ops/api-keys/${old.id}/rotate`, { overlap_seconds: 1, reason: 'yearly' });
    expect(next).toMatchObject({ tenant: 'default', scopes: ['payments:read'], replaces: { id: old.id } });
    expect(Date.parse(next.replaces.expires_at ?? '') - Date.now()).toBeLessThanOrEqual(1000);
    expect([await statusAt(gateway.url, old.key), await statusAt(gateway.url, next.key)]).toEqual([200, 200]);
    await eventually(async () => expect(await statusAt(gateway.url, old.key)).toBe(401));
    expect(await statusAt(gateway.url, next.key)).toBe(200);
    expect((await actionsOn(old.id)).map(({ action }) => action)).toEqual(['api_key.create', 'api_key.rotate']);
  });

  it('refuses nobody on the way, at any gateway, however many ask meanwhile', async () => {
    const old = await newKey();
    let using = old.key;
    let over = false;
    const statuses: number[] = [];
    const askers = Array.from({ length: 8 }, async (_, n) => {
      while (!over) statuses.push(await statusAt(n % 2 === 0 ? gateway.url : second.url, using));
    });
    const next = await made<RotatedApiKeyView>(`/v1/ops/api-keys/${old.id}/rotate`, { overlap_seconds: 4, reason: 'yearly' });
    using = next.key;
    const soFar = statuses.length;
    await eventually(
      async () => {
        expect(await statusAt(gateway.url, old.key)).toBe(401);
        expect(statuses.length).toBeGreaterThan(soFar + 50);
      },
      { timeoutMs: 20_000 },
    );
    over = true;
    await Promise.all(askers);
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  it('never makes the old one live longer', async () => {
    const soon = new Date(Date.now() + 60_000).toISOString();
    const old = await newKey({ expires_at: soon });
    const next = await made<RotatedApiKeyView>(`/v1/ops/api-keys/${old.id}/rotate`, { overlap_seconds: 86_400, reason: 'yearly' });
    expect(next.replaces.expires_at).toBe(soon);
  });

  it('refuses one that has ended', async () => {
    const old = await newKey();
    expect((await post(`/v1/ops/api-keys/${old.id}/revoke`, { reason: 'leaked' })).status).toBe(200);
    const response = await post(`/v1/ops/api-keys/${old.id}/rotate`, { reason: 'too late' });
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([409, 'api_key.ended']);
  });
});

describe('When a key is revoked', () => {
  it('is refused at once here and within seconds by every other gateway', async () => {
    const { id, key } = await newKey();
    expect([await statusAt(gateway.url, key), await statusAt(second.url, key)]).toEqual([200, 200]);
    const revoked = await post(`/v1/ops/api-keys/${id}/revoke`, { reason: 'leaked' });
    expect(await revoked.json()).toMatchObject({ id, status: 'revoked' });
    expect(await statusAt(gateway.url, key)).toBe(401);
    await eventually(async () => expect(await statusAt(second.url, key)).toBe(401), { timeoutMs: 6000 });
  }, 15_000);

  it('may be asked for twice: the second changes and records nothing', async () => {
    const { id } = await newKey();
    const first = await (await post(`/v1/ops/api-keys/${id}/revoke`, { reason: 'leaked' })).json();
    expect(await (await post(`/v1/ops/api-keys/${id}/revoke`, { reason: 'again' })).json()).toEqual(first);
    expect((await actionsOn(id)).map(({ reason }) => reason)).toEqual(['a new shop', 'leaked']);
  });

  it('is 404 when there is none', async () => {
    expect((await post('/v1/ops/api-keys/Ab3dEf6hIj9k/revoke', { reason: 'x' })).status).toBe(404);
  });
});

describe('When keys are listed', () => {
  it('comes in pages, and by tenant and status', async () => {
    await made('/v1/ops/tenants', { id: 'shop', reason: 'opening' });
    const keys = [];
    for (let i = 0; i < 3; i += 1) keys.push(await newKey({ tenant: 'shop' }));
    await post(`/v1/ops/api-keys/${keys[0]?.id}/revoke`, { reason: 'leaked' });
    const page = async (query: string) =>
      (await (await gateway.fetch(`/v1/ops/api-keys?tenant=shop&${query}`)).json()) as { data: ApiKeyView[]; next_cursor: string | null };
    const first = await page('limit=2');
    const rest = await page(`limit=2&cursor=${first.next_cursor}`);
    expect([...first.data, ...rest.data].map(({ id }) => id)).toEqual(keys.map(({ id }) => id).sort());
    expect((await page('status=revoked')).data.map(({ id }) => id)).toEqual([keys[0]?.id]);
    expect((await page('status=active')).data).toHaveLength(2);
  });
});

describe('When a tenant is made', () => {
  it('is there once, with its zone and language', async () => {
    const body = { id: 'lyon', name: 'Boutique Lyon', zone: 'Europe/Paris', locale: 'fr', reason: 'opening' };
    const response = await post('/v1/ops/tenants', body);
    expect([response.status, await response.json()]).toMatchObject([201, { id: 'lyon', zone: 'Europe/Paris', locale: 'fr' }]);
    expect((await post('/v1/ops/tenants', { ...body, name: 'Another' })).status).toBe(200);
    const { data } = (await (await gateway.fetch('/v1/ops/tenants?limit=100')).json()) as { data: { id: string; name: string }[] };
    expect(data).toContainEqual(expect.objectContaining({ id: 'lyon', name: 'Boutique Lyon' }));
    expect(await actionsOn('lyon')).toHaveLength(1);
  });

  it('is branded: what is given changes, what is not stays, services are told, and who did it is written down', async () => {
    const logo = PNG.sync.write(new PNG({ width: 8, height: 8 }));
    const look = { accent: '#1d4f91', tax_ids: ['FR1'], legal_lines: ['3 quai'], logo: logo.toString('base64') };
    const branded = await post('/v1/ops/tenants/lyon/branding', { ...look, reason: 'new look' });
    const sha256 = createHash('sha256').update(logo).digest('hex');
    expect([branded.status, await branded.json()]).toMatchObject([200, { name: 'Boutique Lyon', accent: '#1d4f91', logo: sha256 }]);
    const renamed = await post('/v1/ops/tenants/lyon/branding', { name: 'Lyon', logo: null, reason: 'no logo' });
    expect(await renamed.json()).toMatchObject({ name: 'Lyon', tax_ids: ['FR1'], legal_lines: ['3 quai'], logo: null });
    expect(await actionsOn('lyon')).toHaveLength(3);
    const bad = await post('/v1/ops/tenants/lyon/branding', { logo: Buffer.from('<svg/>').toString('base64'), reason: 'x' });
    expect([bad.status, await bad.json()]).toMatchObject([400, { errors: [{ path: 'logo', message: 'must be a PNG' }] }]);
    expect((await post('/v1/ops/tenants/nobody/branding', { name: 'x', reason: 'x' })).status).toBe(404);
  });

  it('refuses a zone that does not exist', async () => {
    expect((await post('/v1/ops/tenants', { id: 'mars', zone: 'Mars/Olympus', reason: 'x' })).status).toBe(400);
  });
});
