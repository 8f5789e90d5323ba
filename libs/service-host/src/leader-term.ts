/** What a loop needs of a row lease: an epoch while held, null otherwise. */
export interface Leadership {
  acquire(): Promise<number | null>;
  renew(): Promise<boolean>;
  release(): Promise<void>;
}

const RENEW_MS = 1000;

/** Holds a lease from the moment it is won until it is lost or given back, renewing it each second also while the loop has nothing to do. */
export class LeaderTerm {
  #epoch: number | null = null;
  #renewal: NodeJS.Timeout | undefined;

  constructor(private readonly lease: Leadership) {}

  /** The epoch of this term, begun now if the lease is free; null while another leads. */
  async epoch(): Promise<number | null> {
    if (this.#epoch !== null) return this.#epoch;
    this.#epoch = await this.lease.acquire();
    if (this.#epoch !== null) this.#renewal = setInterval(() => void this.#renew(), RENEW_MS);
    return this.#epoch;
  }

  async end(): Promise<void> {
    this.#lost();
    await this.lease.release();
  }

  /** A database that cannot be asked is no renewal: the lease runs out there, and another may lead. */
  async #renew(): Promise<void> {
    const renewed = await this.lease.renew().catch(() => false);
    if (!renewed) this.#lost();
  }

  #lost(): void {
    clearInterval(this.#renewal);
    this.#epoch = null;
  }
}
