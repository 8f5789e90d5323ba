import Fastify from 'fastify';
import pg from 'pg';

/**
 * The peer that `bench -- usage` measures against: a route that parses a batch of usage events and stores them by one INSERT with the same unique key. No tenant, no
 * checks, no counters, nothing reported. Runs in a process of its own, beside the same database.
 */
const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'], max: 4 });
await pool.query(`
  CREATE TABLE IF NOT EXISTS bare_usage (
    tenant text NOT NULL, id text NOT NULL, customer text NOT NULL, meter text NOT NULL, value numeric NOT NULL, at timestamptz NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (tenant, id))`);

interface Event {
  id: string;
  customer: string;
  meter: string;
  value: string;
  at: string;
}

const server = Fastify({ bodyLimit: 4 * 1024 * 1024 });
server.post<{ Body: { events: Event[] } }>('/v1/usage-events', async (request) => {
  const column = (name: keyof Event) => request.body.events.map((one) => one[name]);
  const { rowCount } = await pool.query(
    `INSERT INTO bare_usage (tenant, id, customer, meter, value, at)
     SELECT 'default', * FROM unnest($1::text[], $2::text[], $3::text[], $4::numeric[], $5::timestamptz[]) ON CONFLICT DO NOTHING`,
    [column('id'), column('customer'), column('meter'), column('value'), column('at')],
  );
  return { accepted: rowCount };
});
console.log(JSON.stringify({ url: await server.listen({ host: '127.0.0.1', port: 0 }) }));
process.on('SIGTERM', () => process.exit(0));
