import type { DiscrepancyClass } from '@tidegate/contracts/responses';

export type RunMode = 'report' | 'repair';

/** Somebody asked for a comparison of the days from `start_date` to `end_date`, both included, in UTC. */
export interface RunRequested {
  type: 'RunRequested';
  data: {
    run_id: string;
    tenant: string;
    mode: RunMode;
    start_date: string;
    end_date: string;
    /** Null means all. */
    classes: DiscrepancyClass[] | null;
    reason: string;
    actor: string;
    /** Of the request, so that its repetition is told from another one with the same key. */
    request_hash: string;
  };
}

export interface Discrepancy {
  number: number;
  class: DiscrepancyClass;
  object: 'payment' | 'refund';
  payment_id: string | null;
  stripe_id: string | null;
  local: string | null;
  remote: string | null;
  first_seen: string;
  proposed_repair: string | null;
  applied: boolean;
  /** Why the repair was not applied. */
  reason: string | null;
}

/** Disagreements that persisted in a second read; a run with many has several of these. */
export interface DiscrepanciesFound {
  type: 'DiscrepanciesFound';
  data: { run_id: string; tenant: string; discrepancies: Discrepancy[] };
}

/** `failure` says why a run could not read everything; such a run has found nothing. */
export interface RunFinished {
  type: 'RunFinished';
  data: {
    run_id: string;
    status: 'succeeded' | 'failed';
    counts: Record<string, number>;
    pages: number;
    objects: number;
    failure: string | null;
  };
}

export type RunEvent = RunRequested | DiscrepanciesFound | RunFinished;

export const runStream = (runId: string): string => `run:${runId}`;
