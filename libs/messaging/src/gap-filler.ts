import { OutboxReadReply } from '@tidegate/contracts/rpc/outbox-read';
import { outboxReadSubject, type StreamName } from '@tidegate/contracts/subjects';
import { type Db } from '@tidegate/database/database';
import { untilNextLook } from '@tidegate/database/next-look';
import { type Logger } from '@tidegate/telemetry/logger';
import { fromOutbox } from './arrival.js';
import { type Broker } from './broker.js';
import { type Arrival } from './inbox-store.js';
import { type InboxKey } from './inbox-key.js';
import { adoptEpoch, GenerationGone, highestStored, readStanding, readWatermark, type Watermark } from './inbox-watermark.js';
import { RpcClient, RpcTimeout, RpcUnavailable } from './rpc.js';
import { ownerOf } from './topology.js';

export interface FillerOptions {
  db: Db;
  broker: Broker;
  logger: Logger;
  stream: StreamName;
  gapAfterMs: number;
  headCheckMs: number;
  store(arrivals: Arrival[]): Promise<unknown>;
  /** Which generation of the consumer is the live one; told at each look. */
  onLive?: (generation: number | null) => void;
  /** The owner no longer keeps what is missing. */
  onBelowFloor?: () => void;
}

const PAGE = 500;
const RPC_TIMEOUT_MS = 3_000;
const SAY_AGAIN_MS = 30_000;

/**
 * Keeps the watermark moving whatever the broker lost: asks the owner for its head, at once on every connect and then regularly, and reads what is
 * missing from the owner's outbox. While the owner is away nothing above the gap runs; what the owner no longer keeps is an alarm, never skipped.
 */
export class GapFiller {
  private readonly rpc: RpcClient;
  private timer: NodeJS.Timeout | undefined;
  private gapTimer: NodeJS.Timeout | undefined;
  private forget: () => void = () => undefined;
  private checking: Promise<boolean> | undefined;
  private stopped = false;
  private awaySince: number | null = null;
  private readonly said = new Map<string, number>();

  constructor(
    private readonly options: FillerOptions,
    private readonly key: InboxKey,
  ) {
    this.rpc = new RpcClient(options.broker);
  }

  start(): void {
    this.forget = this.options.broker.onConnected(() => void this.check());
    this.schedule();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.forget();
    clearTimeout(this.timer);
    clearTimeout(this.gapTimer);
    await this.checking;
  }

  /** Something above the watermark is stored: if that stays so, the rows between are asked for. */
  gapSeen(): void {
    if (this.gapTimer || this.stopped) return;
    this.gapTimer = setTimeout(() => {
      this.gapTimer = undefined;
      void this.check();
    }, this.options.gapAfterMs);
  }

  /** Reads everything up to the owner's present head; false when that was not possible. One at a time. */
  check(): Promise<boolean> {
    this.checking ??= this.fill()
      .catch((error: unknown) => this.report(error))
      .finally(() => (this.checking = undefined));
    return this.checking;
  }

  private schedule(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => void this.check().finally(() => this.schedule()), untilNextLook(this.options.headCheckMs));
  }

  private async fill(): Promise<boolean> {
    let target: number | null = null;
    for (let last = -1; !this.stopped;) {
      const { live, ...known } = await readStanding(this.options.db, this.key);
      this.options.onLive?.(live);
      const page = await this.ask(known.position);
      if (page.epoch > known.epoch) {
        await this.adopt(page);
        continue;
      }
      if (!this.isFillable(known, page)) return false;
      target ??= page.head;
      if (page.rows.length > 0) await this.options.store(fromOutbox(page));
      if (page.rows.length === 0 || known.position >= target || known.position === last) return true;
      last = known.position;
    }
    return true;
  }

  private async ask(after: number): Promise<OutboxReadReply> {
    const reply = await this.rpc.request(
      outboxReadSubject(ownerOf(this.options.stream)),
      { after, limit: PAGE },
      { timeoutMs: RPC_TIMEOUT_MS, traced: false },
    );
    if (this.awaySince !== null) {
      this.options.logger.info(
        { event: 'outbox_owner_back', consumer: this.key.consumer, away_ms: Date.now() - this.awaySince },
        "The stream's owner answers again",
      );
      this.awaySince = null;
    }
    return OutboxReadReply.parse(reply);
  }

  private async adopt(page: OutboxReadReply): Promise<void> {
    const adopted = await this.options.db.transaction().execute((tx) => adoptEpoch(tx, this.key, page.epoch, page.epoch_start));
    if (adopted)
      this.options.logger.warn(
        { event: 'epoch_adopted', consumer: this.key.consumer, epoch: page.epoch, epoch_start: page.epoch_start },
        'The owner was restored from a backup',
      );
  }

  private isFillable(known: Watermark, page: OutboxReadReply): boolean {
    if (page.epoch < known.epoch) {
      this.sayNowAndThen('epoch_went_back', (fields) =>
        this.options.logger.error(
          { ...fields, known: known.epoch, owner: page.epoch },
          "The owner's epoch is older than the one already seen",
        ),
      );
      return false;
    }
    if (page.head < known.position) {
      this.sayNowAndThen('owner_behind', (fields) =>
        this.options.logger.error(
          { ...fields, watermark: known.position, head: page.head },
          'The owner has given out fewer positions than this consumer has seen: it was restored without a new epoch, and what it publishes now would be lost',
        ),
      );
      return false;
    }
    if (page.head > known.position && page.floor > known.position + 1) {
      this.options.onBelowFloor?.();
      this.sayNowAndThen('inbox_below_floor', (fields) =>
        this.options.logger.error(
          { ...fields, watermark: known.position, floor: page.floor },
          'The owner no longer keeps messages that this consumer has not seen; it waits for an operator',
        ),
      );
      return false;
    }
    return true;
  }

  private async report(error: unknown): Promise<boolean> {
    if (error instanceof GenerationGone) this.options.onLive?.(null);
    if (!(error instanceof RpcUnavailable || error instanceof RpcTimeout)) {
      this.sayNowAndThen('head_check_failed', (fields) =>
        this.options.logger.warn({ ...fields, err: error }, "Asking for the owner's head failed; trying again"),
      );
      return false;
    }
    this.awaySince ??= Date.now();
    if (!this.options.broker.connected || this.stopped) return false;
    const { position } = await readWatermark(this.options.db, this.key).catch(() => ({ position: null }));
    const highest = await highestStored(this.options.db, this.key).catch(() => 0);
    this.sayNowAndThen('outbox_owner_away', (fields) =>
      this.options.logger.warn(
        { ...fields, stream: this.options.stream, watermark: position, waiting_at_gap: position !== null && highest > position },
        "The stream's owner does not answer; nothing above a gap runs meanwhile",
      ),
    );
    return false;
  }

  private sayNowAndThen(event: string, say: (fields: { event: string; consumer: string }) => void): void {
    if (Date.now() - (this.said.get(event) ?? 0) < SAY_AGAIN_MS) return;
    this.said.set(event, Date.now());
    say({ event, consumer: this.key.consumer });
  }
}
