/** What `stripe listen` asked for when it opened a session. */
export interface Session {
  /** Sent back by the CLI in the `Websocket-Id` header. */
  readonly id: string;
  readonly snapshot: boolean;
  readonly thin: boolean;
  /** Where the CLI forwards to; null when it only prints. */
  readonly forwardSnapshotTo: string | null;
  readonly forwardThinTo: string | null;
}

/** A session takes snapshot and thin events as two targets. */
export const THIN_SUFFIX = '_thin';
