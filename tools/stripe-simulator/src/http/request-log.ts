import { BoundedLog } from '../store/bounded-log.js';

/** One request to the API as `/__truth` shows it. `status` is null while it runs and when no answer left. */
export interface RequestEntry {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly idempotency_key: string | null;
  status: number | null;
  readonly at: string;
  /** Only when this process was held up before `at`: it came between the two. */
  readonly since?: string;
  fault?: string;
}

/** The newest requests. */
export class RequestLog extends BoundedLog<RequestEntry> {}
