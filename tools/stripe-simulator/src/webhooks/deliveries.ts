import { type AnyEventRecord } from '../events/event.js';
import { type WebhookFault } from '../faults/fault.js';
import { BoundedLog } from '../store/bounded-log.js';
import { type World } from '../world.js';
import { Poster } from './post.js';
import { Queue } from './queue.js';
import { signatureHeader } from './signature.js';
import { type Post } from './target.js';
import { targetById } from './targets.js';
import { signingSecrets } from './retired-secrets.js';
import { disturb, signing } from './webhook-faults.js';

/** One attempt to deliver one event to one endpoint, as `/__truth` shows it. */
export interface DeliveryAttempt {
  readonly id: string;
  readonly event: string;
  readonly event_type: string;
  readonly endpoint: string;
  readonly url: string;
  readonly attempt: number;
  readonly at: string;
  readonly result: 'delivered' | 'failed' | 'dropped';
  readonly status: number | null;
  readonly error: string | null;
  readonly fault: string | null;
}

/** A delivery that is not finished: the event, the endpoint and the attempts made so far. */
export interface Series {
  readonly id: string;
  readonly event: string;
  readonly endpoint: string;
  readonly attempts: number;
  /** Virtual milliseconds of the next attempt. */
  readonly dueMs: number;
  /** Manual resends are tried once. */
  readonly once?: true;
}

const RETRY = 'webhook.attempt';
const PARALLEL_POSTS = 64;

/** Delivers events to endpoints and retries them on the schedule of the settings, re-signed at every attempt. */
export class Deliveries {
  private readonly open = new Map<string, Series>();
  private readonly attempts: BoundedLog<DeliveryAttempt>;
  private readonly poster = new Poster();
  private readonly queue: Queue;
  private closed = false;

  constructor(private readonly world: World) {
    this.queue = new Queue(PARALLEL_POSTS, (error) => world.bug('delivery', error));
    this.attempts = new BoundedLog(world.settings.keptDeliveries);
    world.scheduler.on(RETRY, (id) => this.enqueue(id));
  }

  /** Begins the deliveries of a new event to one endpoint; faults may drop, delay, repeat or reorder them. */
  start(record: AnyEventRecord, endpointId: string): void {
    const disturbance = disturb(this.world.faults, record.event.type);
    if (disturbance.dropped) return this.recordDrop(record, endpointId, 'webhook_drop');
    for (let copy = 0; copy <= disturbance.copies; copy += 1) {
      this.openSeries(record.id, endpointId, disturbance.delayMs, disturbance.reorderWindowMs);
    }
  }

  /** A resend by hand: one attempt beside whatever is scheduled. */
  resend(record: AnyEventRecord, endpointId: string): void {
    const id = this.world.ids.next('whd');
    this.open.set(id, { id, event: record.id, endpoint: endpointId, attempts: 0, dueMs: this.world.clock.nowMs(), once: true });
    this.enqueue(id);
  }

  /** The newest attempts. */
  all(): readonly DeliveryAttempt[] {
    return this.attempts.all();
  }

  /** How many attempts were ever made. */
  total(): number {
    return this.attempts.total();
  }

  unfinished(): Series[] {
    return [...this.open.values()];
  }

  /** Takes up deliveries and records of an earlier process. */
  restore(series: readonly Series[], attempts: readonly DeliveryAttempt[]): void {
    this.attempts.restore(attempts);
    for (const one of series) this.open.set(one.id, one);
  }

  /** Plans the deliveries that were taken up. */
  resume(): void {
    for (const { dueMs, id } of this.open.values()) this.world.scheduler.scheduleAt(dueMs, { kind: RETRY, id });
  }

  clear(): void {
    this.open.clear();
    this.queue.clear();
    this.attempts.clear();
  }

  close(): void {
    this.closed = true;
    this.clear();
    this.poster.close();
  }

  private openSeries(event: string, endpoint: string, delayMs: number, reorderWindowMs: number): void {
    const id = this.world.ids.next('whd');
    this.open.set(id, { id, event, endpoint, attempts: 0, dueMs: this.world.clock.nowMs() + delayMs });
    if (reorderWindowMs > 0)
      this.queue.hold(
        () => this.attempt(id),
        reorderWindowMs,
        (tasks) => this.world.random.shuffled(tasks),
      );
    else if (delayMs > 0) this.world.scheduler.schedule(delayMs, { kind: RETRY, id });
    else this.enqueue(id);
  }

  /** A target that is told once is no traffic to limit: nothing must wait for it. */
  private enqueue(id: string): void {
    const series = this.open.get(id);
    if (series && targetById(this.world, series.endpoint)?.once)
      setImmediate(() => void this.attempt(id).catch((error: unknown) => this.world.bug('delivery', error)));
    else this.queue.push(() => this.attempt(id));
  }

  private async attempt(id: string): Promise<void> {
    const series = this.open.get(id);
    const record = series && this.world.events.find(series.event);
    const target = series && targetById(this.world, series.endpoint);
    if (series === undefined || record === undefined || target === undefined) return void this.open.delete(id);
    if (!target.enabled || this.isDisabledNow(record, target.id)) return this.conclude(series, false);
    const { secrets, skewSeconds, fault } = signing(this.world.faults, record.event.type, signingSecrets(this.world, target));
    const at = new Date();
    const seconds = Math.floor(at.getTime() / 1000) + skewSeconds;
    const result = await target.deliver(record, (body) => signatureHeader(body, secrets, seconds), this.post);
    if (this.closed || !this.open.has(id)) return;
    const delivered = 'status' in result && result.status >= 200 && result.status < 300;
    this.attempts.add({
      id,
      event: record.id,
      event_type: record.event.type,
      endpoint: target.id,
      url: target.url,
      attempt: series.attempts + 1,
      at: at.toISOString(),
      result: delivered ? 'delivered' : 'failed',
      status: 'status' in result ? result.status : null,
      error: 'error' in result ? result.error : null,
      fault,
    });
    if (delivered) this.world.events.markDelivered(record.id, target.id);
    this.conclude(target.once ? { ...series, once: true } : series, delivered);
  }

  private readonly post: Post = (url, body, headers) => this.poster.post(url, body, headers, this.world.settings.deliveryTimeoutMs);

  /** Ends a series or plans its next attempt. */
  private conclude(series: Series, delivered: boolean): void {
    const wait = this.world.settings.deliverySchedule[series.attempts];
    if (delivered || series.once || wait === undefined) {
      this.open.delete(series.id);
      return;
    }
    const next = { ...series, attempts: series.attempts + 1, dueMs: this.world.clock.nowMs() + wait };
    this.open.set(series.id, next);
    this.world.scheduler.scheduleAt(next.dueMs, { kind: RETRY, id: series.id });
  }

  /** A fault disables the endpoint, as Stripe does after long failure. Enabling it before the next attempt resumes the series. */
  private isDisabledNow(record: AnyEventRecord, endpointId: string): boolean {
    if (this.world.faults.takeWebhook('webhook_disable', record.event.type) === undefined) return false;
    const endpoint = this.world.endpoints.get(endpointId);
    const destination = this.world.eventDestinations.get(endpointId);
    if (endpoint !== undefined) this.world.endpoints.replace({ ...endpoint, status: 'disabled' });
    if (destination !== undefined) this.world.eventDestinations.replace({ ...destination, status: 'disabled' });
    this.recordDrop(record, endpointId, 'webhook_disable');
    return true;
  }

  private recordDrop(record: AnyEventRecord, endpointId: string, fault: WebhookFault): void {
    const target = targetById(this.world, endpointId);
    this.attempts.add({
      id: this.world.ids.next('whd'),
      event: record.id,
      event_type: record.event.type,
      endpoint: endpointId,
      url: target?.url ?? '',
      attempt: 0,
      at: new Date().toISOString(),
      result: 'dropped',
      status: null,
      error: null,
      fault,
    });
  }
}
