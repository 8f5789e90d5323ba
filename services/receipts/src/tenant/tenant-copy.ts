import { RPC, Tenant } from '@tidegate/contracts/rpc/routes';
import type { Clock } from '@tidegate/service-host/clock';
import { type Kysely, sql } from 'kysely';
import type { Tables } from '../tables.js';
import { keepLogo } from './logos.js';

/** Asks a service; throws when it is away or too slow. `RpcClient` of libs/messaging is one. */
export interface Ask {
  request(subject: string, payload: unknown, options: { timeoutMs: number }): Promise<unknown>;
}

const FRESH_MS = 60_000;
const TIMEOUT_MS = 1000;
/** A gateway that gave no answer is not waited for again so soon, as long as there is a copy: each receipt would wait for it. */
const ASK_AGAIN_MS = 5000;

/** No copy yet, and the gateway does not answer: nothing to number by. */
export class TenantUnavailable extends Error {
  override readonly name = 'TenantUnavailable';
}
/** The gateway answers that there is no such tenant. */
export class TenantUnknown extends Error {
  override readonly name = 'TenantUnknown';
}

/** What receipts know of tenants: a copy at most a minute old, or the last one known while the gateway is away. */
export class TenantCopies {
  private awayAt = -Infinity;

  constructor(private readonly at: { db: Kysely<Tables>; ask: Ask; clock: Clock }) {}

  /** Throws TenantUnavailable or TenantUnknown. */
  async get(id: string): Promise<Tenant> {
    const { db, clock } = this.at;
    const copy = await db.selectFrom('tenants').selectAll().where('id', '=', id).executeTakeFirst();
    const now = clock.now().getTime();
    if (copy && this.isGoodEnough(copy)) return Tenant.parse(copy.data);
    const asked = await this.asked(id);
    if (asked === 'away') {
      this.awayAt = now;
      if (copy) return Tenant.parse(copy.data);
      throw new TenantUnavailable(`tenant ${id} cannot be asked for yet`);
    }
    if (asked === null) throw new TenantUnknown(`there is no tenant ${id}`);
    await this.keep(asked);
    return asked;
  }

  /** Those of these tenants that need not be asked for. */
  async known(db: Kysely<Tables>, ids: readonly string[]): Promise<Map<string, Tenant>> {
    const copies = await db
      .selectFrom('tenants')
      .select(['id', 'data', 'fetched_at'])
      .where('id', '=', sql<string>`ANY(${ids}::text[])`)
      .execute();
    return new Map(copies.filter((copy) => this.isGoodEnough(copy)).map(({ id, data }) => [id, Tenant.parse(data)]));
  }

  private isGoodEnough({ fetched_at }: { fetched_at: Date }): boolean {
    const now = this.at.clock.now().getTime();
    return Math.abs(now - fetched_at.getTime()) < FRESH_MS || Math.abs(now - this.awayAt) < ASK_AGAIN_MS;
  }

  private async asked(id: string): Promise<Tenant | null | 'away'> {
    try {
      return Tenant.nullable().parse(await this.at.ask.request(RPC.tenantGet, { tenant: id }, { timeoutMs: TIMEOUT_MS }));
    } catch {
      return 'away';
    }
  }

  /** The logo is kept apart and for good, by its hash: documents of last year are made again with the logo of last year. */
  private async keep(tenant: Tenant): Promise<void> {
    const { logo, ...rest } = tenant;
    if (logo?.png !== undefined) await keepLogo(this.at.db, Buffer.from(logo.png, 'base64'), this.at.clock.now());
    const copy: Tenant = logo ? { ...rest, logo: { sha256: logo.sha256 } } : rest;
    const row = { data: JSON.stringify(copy), fetched_at: this.at.clock.now() };
    await this.at.db
      .insertInto('tenants')
      .values({ id: tenant.id, ...row })
      .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
      .execute();
  }
}
