import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRequire } from 'node:module';
import type { S3Settings } from '../src/store/s3.store.js';

const BUCKET = 'receipts';
/** The one account that s3rver knows. */
const ACCOUNT = 'S3RVER';

interface S3rver {
  callback(): Parameters<typeof createServer>[1];
  configureBuckets(): Promise<unknown>;
}
const S3rver = createRequire(import.meta.url)('@20minutes/s3rver') as new (options: object) => S3rver;

/** A server that speaks S3 and checks signatures, over a folder. */
export interface S3Server {
  settings: S3Settings;
  /** Overwrites the bytes of every object, as a failing disk does. */
  damage(): void;
  /** Refuses connections until `open` again. */
  close(): Promise<void>;
  open(): Promise<void>;
  stop(): Promise<void>;
}

export async function s3Server(): Promise<S3Server> {
  const directory = mkdtempSync(join(tmpdir(), 'tidegate-s3-'));
  const s3rver = new S3rver({ directory, silent: true, configureBuckets: [{ name: BUCKET, configs: [] }] });
  await s3rver.configureBuckets();
  const handler = s3rver.callback();
  let server: Server;
  const listen = (port: number) =>
    new Promise<number>((resolve) => {
      server = createServer(handler).listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    });
  const close = () => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => void server.close(() => resolve()));
  };
  const port = await listen(0);
  return {
    settings: {
      bucket: BUCKET,
      prefix: 'pdf',
      endpoint: `http://127.0.0.1:${port}`,
      region: 'us-east-1',
      credentials: { accessKeyId: ACCOUNT, secretAccessKey: ACCOUNT },
    },
    damage() {
      for (const file of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
        const path = join(directory, file);
        if (path.endsWith('_object') && statSync(path).isFile()) writeFileSync(path, '%PDF-1.7 damaged');
      }
    },
    close,
    open: async () => void (await listen(port)),
    async stop() {
      await close();
      rmSync(directory, { recursive: true });
    },
  };
}
