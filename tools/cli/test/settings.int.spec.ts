import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { findSettings, findVariable } from '../src/settings/settings.js';

const folder = mkdtempSync(join(tmpdir(), 'tidegate-settings-'));
const below = join(folder, 'a', 'b');
beforeAll(() => {
  mkdirSync(join(folder, '.tidegate'));
  mkdirSync(below, { recursive: true });
  writeFileSync(
    join(folder, '.tidegate', 'local.env'),
    'TIDEGATE_URL=http://127.0.0.1:3000/\nTIDEGATE_API_KEY=local\nTIDEGATE_WEBHOOKS_URL=http://127.0.0.1:3001\n',
  );
  writeFileSync(join(folder, 'key'), 'from-file\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

const url = 'https://tidegate.example';

describe('The settings', () => {
  it('come from the environment first', () => {
    expect(findSettings({ env: { TIDEGATE_URL: url, TIDEGATE_API_KEY: 'own' }, cwd: below })).toEqual({
      url,
      key: 'own',
      from: 'the environment',
    });
    expect(findSettings({ env: { TIDEGATE_URL: url, TIDEGATE_API_KEY_FILE: join(folder, 'key') }, cwd: '/' })).toMatchObject({
      key: 'from-file',
    });
  });

  it('come from the local stack above this folder otherwise', () => {
    expect(findSettings({ env: {}, cwd: below })).toMatchObject({ url: 'http://127.0.0.1:3000', key: 'local' });
    expect(findVariable({ env: {}, cwd: below }, 'TIDEGATE_WEBHOOKS_URL')).toBe('http://127.0.0.1:3001');
  });

  it('are never half from here and half from there', () => {
    expect(() => findSettings({ env: { TIDEGATE_URL: url }, cwd: below })).toThrow('TIDEGATE_API_KEY is missing in the environment');
    expect(() => findSettings({ env: { TIDEGATE_API_KEY: 'own' }, cwd: below })).toThrow('TIDEGATE_URL is missing in the environment');
    expect(findVariable({ env: { TIDEGATE_URL: url }, cwd: below }, 'TIDEGATE_WEBHOOKS_URL')).toBeUndefined();
  });

  it('are refused when they cannot be right', () => {
    expect(() => findSettings({ env: { TIDEGATE_URL: 'tidegate', TIDEGATE_API_KEY: 'own' }, cwd: '/' })).toThrow('must be a URL');
    expect(() => findSettings({ env: { TIDEGATE_URL: url, TIDEGATE_API_KEY_FILE: join(folder, 'gone') }, cwd: '/' })).toThrow('ENOENT');
  });

  it('never show a key that no header takes', () => {
    expect(() => findSettings({ env: { TIDEGATE_URL: url, TIDEGATE_API_KEY: 'two\nlines' }, cwd: '/' })).toThrow(
      'TIDEGATE_API_KEY in the environment must be one key, without spaces and line breaks.',
    );
  });
});
