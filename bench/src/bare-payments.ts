import Fastify from 'fastify';
import pg from 'pg';
import Stripe from 'stripe';

/**
 * The peer that `bench -- payments` measures Tidegate against: what a payment costs with nothing around it. The same two SDK calls to the
 * same simulator (create, then confirm) and one INSERT, no idempotency, no events, no recovery. Runs in a process of its own.
 */
const { STRIPE_API_BASE, STRIPE_SECRET_KEY, DATABASE_URL } = process.env;
const base = new URL(STRIPE_API_BASE!);
const stripe = new Stripe(STRIPE_SECRET_KEY!, {
  host: base.hostname,
  port: Number(base.port),
  protocol: 'http',
  maxNetworkRetries: 0,
  telemetry: false,
});
const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 10 });
await pool.query(
  'CREATE TABLE IF NOT EXISTS bare_payments (id text PRIMARY KEY, status text NOT NULL, amount bigint NOT NULL, at timestamptz NOT NULL DEFAULT now())',
);

const server = Fastify();
server.post<{ Body: { amount: number; currency: string; payment_method: string } }>('/v1/payments', async (request, reply) => {
  const { amount, currency, payment_method } = request.body;
  const created = await stripe.paymentIntents.create({
    amount,
    currency,
    automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
  });
  const confirmed = await stripe.paymentIntents.confirm(created.id, { payment_method });
  await pool.query('INSERT INTO bare_payments (id, status, amount) VALUES ($1, $2, $3)', [
    confirmed.id,
    confirmed.status,
    confirmed.amount,
  ]);
  return reply.code(201).send({ id: confirmed.id, status: confirmed.status, amount: confirmed.amount });
});
console.log(JSON.stringify({ url: await server.listen({ host: '127.0.0.1', port: 0 }) }));
process.on('SIGTERM', () => process.exit(0));
