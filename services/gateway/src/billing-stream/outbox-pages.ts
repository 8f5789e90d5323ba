import { OutboxReadReply } from '@tidegate/contracts/rpc/outbox-read';
import { outboxReadSubject } from '@tidegate/contracts/subjects';
import { type RpcClient, RpcFailed, RpcTimeout, RpcUnavailable } from '@tidegate/messaging/rpc';

const TIMEOUT_MS = 3_000;

/** Reads payments' outbox. Whoever asks for a page that is on its way already gets the same one: after a restart hundreds of clients resume at one place. */
export class OutboxPages {
  readonly #onTheWay = new Map<string, Promise<OutboxReadReply>>();

  constructor(private readonly rpc: RpcClient) {}

  /** Rows above a position, ascending, at most `limit` and 512 KiB. Throws what `isAway` tells while there is no answer. */
  read(after: number, limit: number): Promise<OutboxReadReply> {
    const key = `${after}:${limit}`;
    const known = this.#onTheWay.get(key);
    if (known) return known;
    const page = this.#ask(after, limit).finally(() => this.#onTheWay.delete(key));
    this.#onTheWay.set(key, page);
    return page;
  }

  async #ask(after: number, limit: number): Promise<OutboxReadReply> {
    const reply = await this.rpc.request(outboxReadSubject('payments'), { after, limit }, { timeoutMs: TIMEOUT_MS, traced: false });
    return OutboxReadReply.parse(reply);
  }
}

/** Whether a page could not be read because payments is away, or what it needs to answer: a handler of its that fails lacks its database. */
export const isAway = (error: unknown): boolean =>
  error instanceof RpcUnavailable || error instanceof RpcTimeout || error instanceof RpcFailed;
