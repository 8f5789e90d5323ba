import { type Logger } from '@tidegate/telemetry/logger';

const TELL_EACH_MS = 10_000;

/** Tells of requests that came when nobody waited for their answer any more, at once and then each ten seconds at most. */
export class LateRequests {
  private requests = 0;
  private mostLateMs = 0;
  private toldAt = -Infinity;

  constructor(
    private readonly subject: string,
    private readonly logger: Logger,
  ) {}

  add(lateByMs: number): void {
    this.requests += 1;
    this.mostLateMs = Math.max(this.mostLateMs, lateByMs);
    if (performance.now() - this.toldAt < TELL_EACH_MS) return;
    this.toldAt = performance.now();
    this.logger.warn(
      { event: 'rpc_requests_late', subject: this.subject, requests: this.requests, late_by_ms: this.mostLateMs },
      'Requests came after their deadline and are not answered: this process has too much to do, or the clock of the asking machine is behind',
    );
    [this.requests, this.mostLateMs] = [0, 0];
  }
}
