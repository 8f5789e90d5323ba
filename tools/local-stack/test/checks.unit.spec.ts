import { describe, expect, it } from '@jest/globals';
import { lastLine, plainCheck, runChecks } from '../src/checks/check.js';

describe('When checks run', () => {
  it('goes on after a failure, shows it, and adds everything up', async () => {
    const said: string[] = [];
    const total = await runChecks(
      [
        plainCheck('Lint', () => Promise.reject(new Error('one rule is broken'))),
        { name: 'Unit tests', run: () => Promise.resolve({ passed: 7, failed: 0, skipped: 1, output: 'not shown' }) },
      ],
      (line) => said.push(line.replace(/ \(\d+\.\d s\)/, '')),
    );
    expect(said).toEqual(['… Lint', '✗ Lint', 'one rule is broken', '… Unit tests', '✓ Unit tests: 7 passed, 0 failed, 1 skipped']);
    expect(lastLine(total)).toBe('tests: 7 passed, 1 failed, 1 skipped');
  });
});
