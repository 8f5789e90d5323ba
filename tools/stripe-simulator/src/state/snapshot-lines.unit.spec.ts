import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { type Snapshot } from './snapshot.js';
import { readSnapshot, writeSnapshot } from './snapshot-lines.js';

const folder = mkdtempSync(join(tmpdir(), 'snapshot-lines-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const stored = (n: number) => ({ id: `pi_${n}`, metadata: { text: 'line\nbreak' } });
const snapshot = {
  format: 2,
  offset_seconds: 7,
  random: [1, 2],
  objects: { paymentIntents: Array.from({ length: 1234 }, (_, n) => stored(n)), refunds: [] },
  deleted_customers: [],
  events: Array.from({ length: 501 }, (_, n) => ({ id: `evt_${n}` })),
  keys: [],
  jobs: [],
  series: [],
  attempts: [],
  requests: [],
} as unknown as Snapshot;

describe('A snapshot as lines', () => {
  it('comes back as it was, empty lists included', () => {
    const path = join(folder, 'state');
    writeSnapshot(path, snapshot);
    expect(readSnapshot(path)).toEqual(snapshot);
  });

  it('has no line that grows with the state', () => {
    const path = join(folder, 'large');
    writeSnapshot(path, {
      ...snapshot,
      objects: { paymentIntents: Array.from({ length: 20_000 }, (_, n) => stored(n)) },
    } as unknown as Snapshot);
    const longest = Math.max(
      ...readFileSync(path, 'utf8')
        .split('\n')
        .map((line) => line.length),
    );
    expect(longest).toBeLessThan(50_000);
  });

  it.each([
    ['', 'empty'],
    ['{"format":1}\n', 'of another format'],
    ['rubbish', 'rubbish'],
  ])('is null for a file that is %j', (text, name) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    expect(readSnapshot(path)).toBeNull();
  });
});
