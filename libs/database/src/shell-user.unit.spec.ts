import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { shellUser } from './shell-user.js';

const ROOT = join(import.meta.dirname, '..', '..', '..');

describe('Who works in a shell', () => {
  it('is the user by name', () => {
    expect(shellUser(() => ({ username: 'ann' }))).toBe('ann');
  });

  it('is a number in a container, whose user has no name', () => {
    const nameless = () => {
      throw new Error('uv_os_get_passwd returned ENOENT (no such file or directory)');
    };
    expect(shellUser(nameless)).toBe(`uid ${process.getuid?.()}`);
  });

  it('is asked for here alone: the system has an error for an answer where there is no name', () => {
    const asking = ['services', 'libs', 'tools/cli']
      .flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((file) => `${folder}/${file}`))
      .filter((file) => /\/src\/.*\.ts$/.test(file) && !/node_modules|\.spec\.ts$/.test(file))
      .filter((file) => /\buserInfo\b/.test(readFileSync(join(ROOT, file), 'utf8')));
    expect(asking).toEqual(['libs/database/src/shell-user.ts']);
  });
});
