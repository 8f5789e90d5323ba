/** A domain event that is about to be appended. `version` is the version of its shape, from 1. */
export interface NewEvent {
  type: string;
  version: number;
  data: unknown;
}

/** What caused an event. `traceparent` is W3C Trace Context. */
export interface Metadata {
  correlation_id: string;
  causation_id: string | null;
  traceparent: string | null;
  actor?: string;
  command_id?: string;
  [field: string]: unknown;
}

export interface StoredEvent<T = unknown> extends NewEvent {
  /** Order over all streams of the schema; has holes. */
  position: number;
  stream: string;
  /** Order within the stream, from 1, without a hole. */
  stream_version: number;
  data: T;
  metadata: Metadata;
  occurred_at: Date;
}
