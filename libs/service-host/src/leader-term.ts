import { eachRenewal } from '@tidegate/database/lease-renewals';

/** What a loop needs of a row lease: an epoch while held, null otherwise. */
export interface Leadership {
  /** Asked again and again while another holds it. */
  acquireIfFree(): Promise<number | null>;
  renew(): Promise<boolean>;
  release(): Promise<void>;
}

/** Holds a lease from the moment it is won until it is lost or given back, renewing it each second also while the loop has nothing to do. */
export class LeaderTerm {
  #epoch: number | null = null;
  #stopRenewing: () => void = () => undefined;

  constructor(private readonly lease: Leadership) {}

  /** The epoch of this term, begun now if the lease is free; null while another leads. */
  async epoch(): Promise<number | null> {
    if (this.#epoch !== null) return this.#epoch;
    this.#epoch = await this.lease.acquireIfFree();
    if (this.#epoch !== null) this.#stopRenewing = eachRenewal(() => void this.#renew());
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
    this.#stopRenewing();
    this.#epoch = null;
  }
}
