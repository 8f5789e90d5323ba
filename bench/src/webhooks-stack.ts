import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startStack } from '@tidegate/local-stack/stack/start-stack';
import { type Stack } from '@tidegate/local-stack/stack/stack';
import pg from 'pg';
import { SpanSink } from './span-sink.js';

/** The webhooks service as it runs in production (its bundle, its log at `info`, its spans exported), with PostgreSQL and NATS that write through to the disk. */
export interface WebhooksStack {
  stack: Stack;
  admin: pg.Client;
  spans: SpanSink;
  url: string;
  stop(): Promise<void>;
}

/** `profile`: a folder for the service's CPU profile. */
export async function startWebhooks(profile?: string): Promise<WebhooksStack> {
  const dir = mkdtempSync(join(tmpdir(), 'tidegate-bench-'));
  const spans = new SpanSink();
  const stack = await startStack({
    dir,
    fsync: true,
    caller: {},
    services: ['webhooks'],
    withoutApiKeys: true,
    env: {
      webhooks: {
        OTEL_EXPORTER_OTLP_ENDPOINT: await spans.start(),
        ...(profile === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profile}` }),
      },
      simulator: { SIMULATOR_STATE: '' },
    },
  });
  const admin = new pg.Client({ connectionString: stack.databaseUrl() });
  await admin.connect();
  return {
    ...{ stack, admin, spans },
    url: stack.urls.webhooks[0]!,
    stop: async () => {
      await admin.end();
      await stack.stop();
      spans.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
