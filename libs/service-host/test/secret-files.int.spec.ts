import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createLogger } from '@tidegate/telemetry/logger';
import { eventually } from '@tidegate/test-harness/eventually';
import { z } from 'zod';
import { readConfig } from '../src/config.js';
import { SecretFiles } from '../src/secret-files.js';
import { secret } from '../src/settings.js';

const schema = z.object({
  KEY: secret(z.string().regex(/^key_/, 'must begin with key_'), { doc: 'A key.' }),
  OTHER: secret(z.string(), { doc: 'Another.' }),
});

/** In one step, so that nobody reads while there is nothing. */
function becomesFolder(file: string): void {
  mkdirSync(`${file}.folder`);
  symlinkSync(`${file}.folder`, `${file}.next`);
  renameSync(`${file}.next`, file);
}

describe('A secret that comes from a file', () => {
  let folder: string;
  let lines: string[];
  let files: SecretFiles | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tidegate-secrets-'));
    lines = [];
  });
  afterEach(async () => {
    await files?.stop();
    rmSync(folder, { recursive: true });
  });

  it('is taken up when the file is written in place or replaced, and the log shows a fingerprint', async () => {
    const config = follow(inFile('key', 'key_one\n'));
    expect(config.KEY.value).toBe('key_one');

    inFile('key', 'key_two\n');
    await eventually(() => expect(config.KEY.value).toBe('key_two'));

    renameSync(inFile('next', 'key_three'), join(folder, 'key'));
    await eventually(() => expect(config.KEY.value).toBe('key_three'));

    const told = logged('setting_changed');
    expect(told.map((line) => line['setting'])).toEqual(['KEY', 'KEY']);
    expect(told.at(-1)?.['fingerprint']).toBe(config.KEY.fingerprint);
    expect(lines.join()).not.toMatch(/key_(one|two|three)/);
  });

  it('is taken up when Kubernetes swaps the folder behind a mounted file', async () => {
    version('..one', 'key_one');
    symlinkSync('..one', join(folder, '..data'));
    symlinkSync(join('..data', 'key'), join(folder, 'key'));
    const config = follow(join(folder, 'key'));

    version('..two', 'key_two');
    symlinkSync('..two', join(folder, '..next'));
    renameSync(join(folder, '..next'), join(folder, '..data'));
    rmSync(join(folder, '..one'), { recursive: true });

    await eventually(() => expect(config.KEY.value).toBe('key_two'));
  });

  it.each([
    ['is empty', (file: string) => writeFileSync(file, '\n'), 'is empty'],
    ['is gone', (file: string) => rmSync(file), 'ENOENT'],
    ['cannot be read', becomesFolder, 'EISDIR'],
    ['holds something else', (file: string) => writeFileSync(file, 'hunter2'), 'must begin with key_'],
  ])('keeps its value while the file %s, says so once, and goes on when it is right again', async (_, spoil, fault) => {
    const file = inFile('key', 'key_one');
    const config = follow(file);

    spoil(file);
    await eventually(() => expect(logged('setting_not_changed')).toHaveLength(1));
    expect(logged('setting_not_changed')[0]).toMatchObject({ level: 'error', setting: 'KEY', faults: [fault] });
    expect(config.KEY.value).toBe('key_one');

    rmSync(file, { recursive: true, force: true });
    inFile('key', 'key_two');
    await eventually(() => expect(config.KEY.value).toBe('key_two'));
    expect(lines.join()).not.toContain('hunter2');
  });

  it('follows nothing that was given directly', async () => {
    const config = readConfig(schema, { KEY: 'key_one', OTHER: 'x' });
    await new SecretFiles(config, createLogger({ service: 'test', level: 'silent' })).run();
    expect(config.KEY.file).toBeUndefined();
  });

  function follow(file: string) {
    const config = readConfig(schema, { KEY_FILE: file, OTHER: 'x' });
    const destination = { write: (line: string) => void lines.push(line) };
    files = new SecretFiles(config, createLogger({ service: 'test', destination }), 20);
    void files.run();
    return config;
  }

  function inFile(name: string, text: string): string {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  }

  function version(name: string, text: string): void {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'key'), text);
  }

  const logged = (event: string): Record<string, unknown>[] =>
    lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter((line) => line['event'] === event);
});
