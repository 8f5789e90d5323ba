import { type NatsConnection } from '@nats-io/transport-node';

/** An error answer of the JetStream API. `errCode` is the server's stable number for it. */
export class JetStreamApiFailure extends Error {
  constructor(
    readonly subject: string,
    readonly code: number,
    readonly errCode: number,
    description: string,
  ) {
    super(`${subject}: ${description} (${errCode})`);
    this.name = 'JetStreamApiFailure';
  }
}

/** Numbers of the server's errors.json, the same in 2.9 and 2.14. */
export const JS_ERROR = {
  consumerNotFound: 10014,
  streamNotFound: 10059,
  streamNameInUse: 10058,
  consumerExists: 10148,
  noMessageFound: 10037,
} as const;

export const isJsError = (error: unknown, ...codes: number[]): boolean =>
  error instanceof JetStreamApiFailure && codes.includes(error.errCode);

const API_TIMEOUT_MS = 5_000;

/** One request to `$JS.API.<verb>`; throws JetStreamApiFailure for an error answer. Exact subjects, so that a permission can name each. */
export async function jsApi<T>(nc: NatsConnection, verb: string, request: unknown = {}): Promise<T> {
  const subject = `$JS.API.${verb}`;
  const reply = await nc.request(subject, JSON.stringify(request), { timeout: API_TIMEOUT_MS });
  const answer = reply.json<T & { error?: { code: number; err_code?: number; description?: string } }>();
  if (answer.error)
    throw new JetStreamApiFailure(subject, answer.error.code, answer.error.err_code ?? 0, answer.error.description ?? 'failed');
  return answer;
}

export const nanosOf = (ms: number): number => ms * 1_000_000;
