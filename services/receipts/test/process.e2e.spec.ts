import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

describe('Receipts as a process', () => {
  it('names the setting that another one needs, instead of calling it a bug, and exits 1', async () => {
    const env = {
      PORT: '0',
      HOST: '127.0.0.1',
      DATABASE_URL: 'postgres://receipts:x@127.0.0.1:1/none',
      NATS_URL: 'nats://receipts:x@127.0.0.1:1',
      SMTP_URL: 'smtp://127.0.0.1:1',
    };
    const child = spawn(process.execPath, [join(import.meta.dirname, '..', 'bundle', 'main.js')], {
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const chunks: string[] = [];
    child.stdout.on('data', (chunk) => chunks.push(String(chunk)));
    const [code] = (await once(child, 'close')) as [number];
    const last = JSON.parse(chunks.join('').trim().split('\n').at(-1) ?? '{}');
    expect([code, last]).toMatchObject([1, { event: 'config_invalid', faults: ['RECEIPT_MAIL_FROM: is required with SMTP_URL'] }]);
  });
});
