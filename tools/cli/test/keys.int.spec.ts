import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTenant } from '@tidegate/gateway/admin/commands';
import { tidegate } from './console.js';
import { operatorWorld, type OperatorWorld } from './operator-world.js';

let world: OperatorWorld;
beforeAll(async () => {
  world = await operatorWorld();
}, 120_000);
afterAll(() => world?.stop());

const works = async (key: string) => (await fetch(`${world.url}/v1/payments`, { headers: { authorization: `Bearer ${key}` } })).status;
interface Made {
  done: boolean;
  would: string[];
  result: { id: string; key: string; replaces?: { id: string; expires_at: string } };
}

describe('When a key is made', () => {
  it('is shown once and works', async () => {
    const { exitCode, value } = await world.json<Made>('keys create --tenant default --scopes payments:read --reason "a new shop" --yes');
    expect(exitCode).toBe(0);
    expect(await works(value.result.key)).toBe(200);
    const { out } = await world.tidegate('keys list --tenant default');
    expect(out).toContain(value.result.id);
    expect(out).not.toContain(value.result.key);
    expect(await world.query('select action, reason from gateway.operator_actions where target = $1', [value.result.id])).toEqual([
      { action: 'api_key.create', reason: 'a new shop' },
    ]);
  });

  it('is only announced without --yes where nobody can be asked', async () => {
    const before = await world.query('select id from gateway.api_keys');
    const { exitCode, out, err } = await world.tidegate('keys create --tenant default --scopes ops --reason test');
    expect(exitCode).toBe(1);
    expect(out).toBe('This will\n  - make a test key of default for ops, without an end\nNothing was changed.\n');
    expect(err).toContain('--yes');
    expect(await world.query('select id from gateway.api_keys')).toHaveLength(before.length);
  });

  it('needs a reason, and says so before anything else', async () => {
    const { exitCode, out, err } = await world.tidegate('keys create --tenant default --scopes ops --yes');
    expect(exitCode).toBe(1);
    expect(out).toBe('');
    expect(err).toContain("required option '--reason <text>' not specified");
  });

  it('passes on what the gateway refuses, in one sentence', async () => {
    const { exitCode, out, err } = await world.tidegate('keys create --tenant nobody --scopes ops --reason test --yes');
    expect(exitCode).toBe(1);
    expect(err).toBe('Failed: There is no such thing: There is no tenant nobody; make it first.\n');
    expect(out).toContain('This will');
  });
});

describe('When a key is rotated and revoked', () => {
  it('hands over to the new one, and ends', async () => {
    const { value: old } = await world.json<Made>('keys create --tenant other --scopes payments:read --reason test --yes');
    const { value: next } = await world.json<Made>(`keys rotate ${old.result.id} --overlap 2h --reason yearly --yes`);
    expect(next.would).toEqual([`make a key that replaces ${old.result.id}`, `end ${old.result.id} in 2 h`]);
    expect([await works(old.result.key), await works(next.result.key)]).toEqual([200, 200]);
    const revoked = await world.tidegate(`keys revoke ${old.result.id} --reason leaked --yes`);
    expect([revoked.exitCode, revoked.out]).toEqual([0, expect.stringContaining('every gateway refuses it within 5 seconds')]);
    expect([await works(old.result.key), await works(next.result.key)]).toEqual([401, 200]);
    const { out } = await world.tidegate('keys list --tenant other --status revoked');
    expect(out).toContain(old.result.id);
  });

  it('warns before the key that is in use', async () => {
    const id = world.key.split('_')[2] ?? '';
    const { out } = await world.tidegate(`keys revoke ${id} --reason test`);
    expect(out).toContain('! this is the key that you are using now');
  });
});

describe('When a tenant is made', () => {
  it('is among more, which a short list says, and among none of a tenant that there is not', async () => {
    for (const noun of ['keys', 'tenants'])
      expect((await world.tidegate(`${noun} list --limit 1`)).out).toMatch(/\nThere are more: --limit\.\n$/);
    expect((await world.tidegate('keys list --tenant nobody')).out).toBe('There are none.\n');
  });

  it('is listed', async () => {
    const { exitCode, out } = await world.tidegate(
      'tenants create lyon --name "Boutique Lyon" --zone Europe/Paris --locale fr --reason opening --yes',
    );
    expect([exitCode, out]).toEqual([0, expect.stringContaining('Europe/Paris')]);
    expect((await world.tidegate('tenants list')).out).toMatch(/^lyon +Boutique Lyon +Europe\/Paris +fr /m);
    const again = await world.tidegate('tenants create lyon --zone UTC --reason opening --yes');
    expect([again.exitCode, again.out, again.err]).toEqual([
      2,
      expect.stringContaining('Europe/Paris'),
      expect.stringContaining('stays as it is'),
    ]);
  });
});

describe('When a person is asked', () => {
  const asked = (id: string, presses: string) =>
    tidegate(`tenants create ${id} --reason opening`, { env: { TIDEGATE_URL: world.url, TIDEGATE_API_KEY: world.key }, presses });

  it('does it after a yes', async () => {
    const { exitCode, out } = await asked('nantes', 'y');
    expect([exitCode, out]).toEqual([0, expect.stringMatching(/This will\n {2}- make the tenant nantes[\s\S]*^tenant +nantes$/m)]);
  });

  it.each([
    ['a no', 'n'],
    ['Enter, because no is the default', '\r'],
    ['Escape', '\u001b'],
  ])('changes nothing after %s', async (_what, key) => {
    const { exitCode, out } = await asked('metz', key);
    expect([exitCode, out]).toEqual([1, expect.stringContaining('Nothing was changed.')]);
    expect(await world.query(`select id from gateway.tenants where id = 'metz'`)).toEqual([]);
  });
});

describe('When there is no way in', () => {
  it('says that the key is not known', async () => {
    const { exitCode, err } = await world.tidegate('tenants list', { TIDEGATE_API_KEY: 'tg_test_wrong' });
    expect([exitCode, err]).toEqual([1, expect.stringContaining('does not know the API key from the environment')]);
  });

  it('says which scope is missing', async () => {
    const key = await world.newKey({ scopes: ['payments:read'] });
    const { exitCode, err } = await world.tidegate('tenants list', { TIDEGATE_API_KEY: key });
    expect([exitCode, err]).toEqual([1, expect.stringContaining('needs a key with the scope ops')]);
  });

  it('says that the gateway is away, in JSON too', async () => {
    const { exitCode, out, err } = await world.tidegate('tenants list --json', { TIDEGATE_URL: 'http://127.0.0.1:1' });
    expect(exitCode).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'gateway.away' } });
    expect(err).toContain('The gateway at http://127.0.0.1:1 does not answer');
  });

  it('says when what answers is no gateway', async () => {
    const { err } = await world.tidegate('tenants list', { TIDEGATE_URL: `${world.simulator.url}/nothing` });
    expect(err).toContain('but not as a Tidegate gateway does');
  });

  it('says which settings it wants', async () => {
    const { exitCode, err } = await tidegate('tenants list', { env: {}, cwd: '/' });
    expect([exitCode, err]).toEqual([1, expect.stringContaining('Set TIDEGATE_URL and TIDEGATE_API_KEY')]);
  });

  it('never sends a key to a gateway that it did not come with', async () => {
    const { err } = await tidegate('tenants list', { env: { TIDEGATE_URL: world.url }, cwd: '/' });
    expect(err).toContain('TIDEGATE_API_KEY is missing in the environment');
  });
});

describe('The first key, made on the database', () => {
  it('needs no more than the file with the address of the database that a container has', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tidegate-first-'));
    const file = join(folder, 'DATABASE_URL');
    writeFileSync(file, `${world.database.url}\n`);
    const env = { PATH: process.env['PATH'], DATABASE_URL_FILE: file };
    const made = await tidegate('tenants create boxed --reason "first tenant" --yes', { env, cwd: '/' });
    expect([made.exitCode, made.err]).toEqual([0, '']);
    const again = await tidegate('tenants create boxed --zone Europe/Berlin --reason "first tenant" --yes', { env, cwd: '/' });
    expect([again.exitCode, again.out]).toEqual([2, expect.stringMatching(/^zone +UTC$/m)]);
    const given = await tidegate('keys create --tenant boxed --scopes ops --reason "first key" --yes --json', { env, cwd: '/' });
    expect([given.exitCode, given.err]).toEqual([0, '']);
    expect(await world.query("select id from gateway.tenants where id = 'boxed'")).toEqual([{ id: 'boxed' }]);
    rmSync(folder, { recursive: true, force: true });
  });

  it('is audited under the name of the shell', async () => {
    await createTenant(
      world.database.url,
      { id: 'first', name: 'first', zone: 'UTC', locale: 'en' },
      { actor: 'shell:ann', reason: 'set-up' },
    );
    expect(await world.query("select actor, reason from gateway.operator_actions where target = 'first'")).toEqual([
      { actor: 'shell:ann', reason: 'set-up' },
    ]);
  });
});
