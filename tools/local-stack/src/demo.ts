import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { until } from './process/until.js';
import { RestClient } from './rest-client.js';
import { type Progress } from './stack/progress.js';
import { type Stack } from './stack/stack.js';
import { StackError } from './stack-error.js';

/** Counted, and no disagreement. */
const COUNTED_BESIDE = new Set(['fee_pending', 'usage_not_compared']);

interface Payment {
  id: string;
  status: string;
  stripe_payment_intent: string;
  created_at: string;
  failure?: { code: string; message: string };
}

interface Receipt {
  id: string;
  number: string;
  status: string;
}

interface Run {
  id: string;
  status: string;
  counts: Record<string, number>;
}

export interface Demonstration {
  stack: Stack;
  progress: Progress;
  /** Then nothing can be said about webhooks, which need forwarding, or about other payments of the same account. */
  realStripe: boolean;
}

/** Carries one payment from the REST call to its receipt, says so step by step, and answers the id of its trace. Throws StackError that names the step that failed and why. */
export async function demonstrate({ stack, progress, realStripe }: Demonstration): Promise<string> {
  const rest = new RestClient(stack.urls.gateway[0] ?? '', stack.keys.default);
  const { payment, traceId } = await create(rest);
  progress.say(`✓ Payment ${payment.id} of 42.00 USD created by POST /v1/payments`);
  const { stripe_payment_intent: intent } = await succeeded(rest, payment.id);
  progress.say(`✓ It succeeded at Stripe as ${intent}`);
  const webhook = await webhookOf(rest, intent).catch((error: unknown) => {
    if (!realStripe) throw error;
    return undefined;
  });
  progress.say(webhook === undefined ? '– No webhook came: is "stripe listen" running?' : `✓ Stripe's webhook arrived: ${webhook}`);
  const { number, file } = await receiptPdf(rest, payment.id, join(stack.dir, 'receipts'));
  progress.say(`✓ Receipt ${number} written to ${relative(process.cwd(), file) || file}`);
  const counts = await reconcile(rest, payment.created_at.slice(0, 10));
  const differences = Object.entries(counts).filter(([kind, count]) => !COUNTED_BESIDE.has(kind) && count > 0);
  if (differences.length > 0 && !realStripe)
    throw new StackError(`reconciliation found ${differences.map(([kind, count]) => `${count} ${kind}`).join(', ')}`);
  progress.say(
    differences.length === 0
      ? '✓ Reconciliation agrees with Stripe'
      : `– Reconciliation found ${differences.map(([kind, count]) => `${count} ${kind}`).join(', ')}`,
  );
  progress.say(`✓ One trace ties them together: ${traceId}`);
  return traceId;
}

async function create(rest: RestClient): Promise<{ payment: Payment; traceId: string }> {
  const answer = await rest.post<Payment>('/v1/payments', {
    amount: 4200,
    currency: 'usd',
    payment_method: 'pm_card_visa',
    description: 'Demonstration of npm start',
    line_items: [{ name: 'One tide table', quantity: 1, unit_amount: 4200 }],
  });
  const traceId = answer.header('trace-id');
  if (traceId === undefined) throw new StackError('POST /v1/payments answered without a trace-id header');
  return { payment: answer.body, traceId };
}

async function succeeded(rest: RestClient, id: string): Promise<Payment> {
  return eventually('the payment to succeed', async () => {
    const { body } = await rest.get<Payment>(`/v1/payments/${id}`);
    if (body.status !== 'succeeded')
      throw new StackError(`it is ${body.status}${body.failure === undefined ? '' : `: ${body.failure.message}`}`);
    return body;
  });
}

/** The event with which Stripe itself told of the success, by its id. */
async function webhookOf(rest: RestClient, intent: string): Promise<string> {
  return eventually('the webhook to arrive', async () => {
    const { data } = (await rest.get<{ data: { id: string; type: string }[] }>(`/v1/webhook-events?object_id=${intent}`)).body;
    const heard = data.find(({ type }) => type === 'payment_intent.succeeded');
    if (heard === undefined) throw new StackError(`of ${intent} there came ${data.map(({ type }) => type).join(', ') || 'nothing'}`);
    return `${heard.type} (${heard.id})`;
  });
}

async function receiptPdf(rest: RestClient, payment: string, folder: string): Promise<{ number: string; file: string }> {
  const receipt = await eventually('the receipt to be rendered', async () => {
    const { body } = await rest.get<Receipt>(`/v1/payments/${payment}/receipt`);
    if (body.status !== 'rendered') throw new StackError(`receipt ${body.number} is ${body.status}`);
    return body;
  });
  const pdf = await rest.bytes(`/v1/receipts/${receipt.id}/pdf`);
  if (pdf.subarray(0, 5).toString('latin1') !== '%PDF-')
    throw new StackError(`GET /v1/receipts/${receipt.id}/pdf answered something that is not a PDF`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, `${receipt.number.replaceAll(/[^\w.-]/g, '-')}.pdf`);
  writeFileSync(file, pdf);
  return { number: receipt.number, file };
}

async function reconcile(rest: RestClient, day: string): Promise<Record<string, number>> {
  const { body } = await rest.post<Run>('/v1/reconciliation/runs', {
    start_date: day,
    end_date: day,
    mode: 'report',
    reason: 'Demonstration of npm start',
  });
  return eventually('the reconciliation run to end', async () => {
    const { status, counts } = (await rest.get<Run>(`/v1/reconciliation/runs/${body.id}`)).body;
    if (status === 'running') throw new StackError('it still runs');
    if (status !== 'succeeded') throw new StackError(`run ${body.id} ended as ${status}`);
    return counts;
  });
}

function eventually<T>(what: string, attempt: () => Promise<T>): Promise<T> {
  return until(attempt, { what, timeoutMs: 60_000, everyMs: 200 });
}
