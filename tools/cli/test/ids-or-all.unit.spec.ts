import { describe, expect, it } from '@jest/globals';
import { tidegate } from './console.js';

describe('A command that takes ids or --all', () => {
  it.each([
    'webhooks replay evt_1 --all',
    'webhooks replay evt_1 --all --dry-run',
    'dead-letters replay dl_1 --all',
    'dead-letters discard dl_1 --all',
  ])('does nothing when it is given both: %s', async (line) => {
    const { exitCode, err, out } = await tidegate(`${line} --reason spec --yes`);
    expect([exitCode, out, err]).toEqual([1, '', 'Failed: Give ids or --all, not both. Nothing was done.\n']);
  });
});
