import { createHmac, timingSafeEqual } from 'node:crypto';
import Fastify from 'fastify';
import pg from 'pg';

/**
 * The peer that `bench -- ingest` measures the webhooks service against: a route that verifies the HMAC, parses, and stores by the same INSERT into the
 * same table, all rows that came during one commit in the next. No log, no metrics, no spans, no limits, no checks, nothing published. Runs in a
 * process and in a database of its own.
 */
const { STRIPE_WEBHOOK_SECRET, DATABASE_URL } = process.env;
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 1 });

interface Event {
  id: string;
  type: string;
  created: number;
  livemode: boolean;
  api_version: string;
  account?: string;
  data: { object: { id: string; metadata: { tenant_id?: string } } };
}

interface Row {
  event: Event;
  raw: Buffer;
  done(): void;
  failed(error: unknown): void;
}

const INSERT = {
  name: 'insert',
  text: `INSERT INTO stripe_events (stripe_event_id, created, event_type, object_id, tenant_hint, account, livemode, api_version, source, traceparent, is_hint, payload)
    SELECT stripe_event_id, created, event_type, object_id, tenant_hint, account, livemode, api_version, source, traceparent, is_hint,
      substring($14::bytea FROM ends - length + 1 FOR length)
    FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[], $8::text[], $9::text[], $10::text[], $11::boolean[], $12::integer[], $13::integer[])
      AS rows (stripe_event_id, created, event_type, object_id, tenant_hint, account, livemode, api_version, source, traceparent, is_hint, ends, length)
    ON CONFLICT (created, stripe_event_id) DO NOTHING
    RETURNING created, stripe_event_id`,
};

let waiting: Row[] = [];
let running = false;

function store(event: Event, raw: Buffer): Promise<void> {
  return new Promise((done, failed) => {
    waiting.push({ event, raw, done, failed });
    if (!running) void drain();
  });
}

async function drain(): Promise<void> {
  running = true;
  await new Promise(setImmediate);
  while (waiting.length > 0) {
    const rows = waiting;
    waiting = [];
    const column = <T>(of: (row: Row) => T): T[] => rows.map(of);
    let end = 0;
    try {
      await pool.query({
        ...INSERT,
        values: [
          column(({ event }) => event.id),
          column(({ event }) => new Date(event.created * 1000)),
          column(({ event }) => event.type),
          column(({ event }) => event.data.object.id),
          column(({ event }) => event.data.object.metadata.tenant_id ?? null),
          column(({ event }) => event.account ?? null),
          column(({ event }) => event.livemode),
          column(({ event }) => event.api_version),
          column(() => 'webhook'),
          column(() => null),
          column(() => false),
          column(({ raw }) => (end += raw.length)),
          column(({ raw }) => raw.length),
          Buffer.concat(column(({ raw }) => raw)),
        ],
      });
      for (const row of rows) row.done();
    } catch (error) {
      for (const row of rows) row.failed(error);
    }
  }
  running = false;
}

function isSigned(raw: Buffer, header: string): boolean {
  const [, at, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(header) ?? [];
  if (at === undefined || signature === undefined || Math.abs(Date.now() / 1000 - Number(at)) > 300) return false;
  const expected = createHmac('sha256', STRIPE_WEBHOOK_SECRET!).update(`${at}.`).update(raw).digest();
  return timingSafeEqual(expected, Buffer.from(signature, 'hex'));
}

const server = Fastify();
server.removeAllContentTypeParsers();
server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
server.post<{ Body: Buffer }>('/webhooks/stripe', async (request, reply) => {
  if (!isSigned(request.body, String(request.headers['stripe-signature']))) return reply.code(400).send({ error: 'signature' });
  await store(JSON.parse(request.body.toString()) as Event, request.body);
  return { received: true };
});
await pool.query(`SELECT ensure_stripe_events_partition(now()::date)`);
console.log(JSON.stringify({ url: await server.listen({ host: '127.0.0.1', port: 0 }) }));
process.on('SIGTERM', () => process.exit(0));
