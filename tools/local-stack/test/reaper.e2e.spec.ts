import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { until } from '../src/process/until.js';

describe('When a supervisor is killed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-reaper-'));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('leaves no child behind', async () => {
    const supervisor = spawn(
      process.execPath,
      [join(import.meta.dirname, 'orphan-maker.mjs'), join(import.meta.dirname, 'toy-service.mjs'), join(folder, 'toy.log')],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const child = Number(await new Promise<Buffer>((resolve) => supervisor.stdout.once('data', resolve)));
    expect(() => process.kill(child, 0)).not.toThrow();

    supervisor.kill('SIGKILL');
    await until(() => expectGone(child), { what: 'the orphan to end', timeoutMs: 10_000 });
  });
});

async function expectGone(pid: number): Promise<void> {
  try {
    process.kill(pid, 0);
  } catch {
    return;
  }
  throw new Error(`process ${pid} still runs`);
}
