import type { ColumnType, Generated, JSONColumnType } from 'kysely';

/** The tables of schema `gateway`, as the migrations make them. */
export interface GatewayTables {
  tenants: {
    id: string;
    name: string;
    zone: string;
    locale: string;
    legal_lines: JSONColumnType<string[]>;
    tax_ids: ColumnType<string[], string | undefined, string>;
    accent: string | null;
    logo: Buffer | null;
    created_at: Generated<Date>;
  };
  api_keys: {
    id: string;
    tenant: string;
    hash: Buffer;
    livemode: boolean;
    scopes: string[];
    created_at: Generated<Date>;
    expires_at: Date | null;
    revoked_at: Generated<Date | null>;
  };
  /** At most one row. */
  holds: {
    only_row: Generated<boolean>;
    restore_point: Date;
    reason: string;
    actor: string;
    held_at: Date;
  };
  stream_tokens: {
    hash: Buffer;
    api_key: string;
    expires_at: Date;
  };
}
