import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { type Generator, checkGenerated, rewriteGenerated } from '../src/generated.js';

const root = mkdtempSync(join(tmpdir(), 'tidegate-generated-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const printing: Generator = { name: 'numbers', command: ['-e', `console.log('one\\ntwo')`], file: 'docs/numbers.txt' };
const writing: Generator = {
  name: 'letters',
  command: ['-e', `require('node:fs').writeFileSync(process.argv[1], 'a')`, '{file}'],
  file: 'docs/letters.txt',
};

describe('When files are generated', () => {
  it('names the missing ones, writes them, and is content', async () => {
    await expect(checkGenerated([printing, writing], root)).rejects.toThrow(
      /docs\/numbers\.txt \(numbers\): missing\n {2}docs\/letters\.txt \(letters\): missing/,
    );
    await rewriteGenerated([printing, writing], root);
    expect(readFileSync(join(root, 'docs/numbers.txt'), 'utf8')).toBe('one\ntwo\n');
    await expect(checkGenerated([printing, writing], root)).resolves.toBeUndefined();
  });

  it('shows the first line that is out of date', async () => {
    await rewriteGenerated([printing], root);
    writeFileSync(join(root, printing.file), 'one\nthree\n');
    await expect(checkGenerated([printing], root)).rejects.toThrow('line 2 should be "two"');
  });

  it('says which generator failed', async () => {
    await expect(checkGenerated([{ ...printing, command: ['-e', 'process.exit(4)'] }], root)).rejects.toThrow(
      'The generator "numbers" failed',
    );
  });
});
