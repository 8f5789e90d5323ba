import type { DiscrepancyClass, RunComparison, RunTrigger } from '@tidegate/contracts/responses';

export type RunMode = 'report' | 'repair';

/** Somebody asked for a comparison of the days from `start_date` to `end_date`, both included, in UTC. */
export interface RunRequested {
  type: 'RunRequested';
  data: {
    run_id: string;
    /** `*`: of every tenant. */
    tenant: string;
    /** Absent in events from before there were others: operator. */
    trigger?: RunTrigger;
    /** Unix seconds, `gte` <= t < `lt`; absent where the days are the period. */
    period?: { gte: number; lt: number };
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
  /** Of a run of every tenant; else the run's. */
  tenant?: string;
  class: DiscrepancyClass;
  object: string;
  /** Our id of the object; absent in events from before it was told. */
  local_id?: string | null;
  payment_id: string | null;
  stripe_id: string | null;
  local: string | null;
  remote: string | null;
  first_seen: string;
  /** When the object was made; absent in events from before it was told, as `state` is. */
  made_at?: string | null;
  state?: 'new' | 'persisting';
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

/** What a run of every tenant found of one. */
export interface OfTenant {
  counts: Record<string, number>;
  comparison: RunComparison;
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
    comparison?: RunComparison | null;
    of_tenants?: Record<string, OfTenant>;
  };
}

export type RunEvent = RunRequested | DiscrepanciesFound | RunFinished;

export const runStream = (runId: string): string => `run:${runId}`;
