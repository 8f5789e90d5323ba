import { type Kysely } from 'kysely';
import { type Logger } from '@tidegate/telemetry/logger';
import { type PaymentsTables } from '../tables.js';
import { type Held, renew } from './work.store.js';

const RENEW_MS = 1000;

/** Renews the leases of the runs in this process, all in one statement each second. Safety does not rest on it: a lost lease only means a second worker. */
export class LeaseKeeper {
  private readonly leases = new Map<Held, number>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly db: Kysely<PaymentsTables>,
    private readonly logger: Logger,
  ) {}

  keep(lease: Held): void {
    this.leases.set(lease, Date.now());
    this.timer ??= setInterval(() => void this.renewAll(), RENEW_MS).unref();
  }

  drop(lease: Held): void {
    this.leases.delete(lease);
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** Most runs end within milliseconds; only older ones need it. */
  private async renewAll(): Promise<void> {
    const old = [...this.leases].filter(([, since]) => Date.now() - since >= RENEW_MS).map(([lease]) => lease);
    try {
      await renew(this.db, old);
    } catch (err) {
      this.logger.warn({ event: 'lease_renewal_failed', err }, 'Leases could not be renewed; they run out in 5 s');
    }
  }
}
