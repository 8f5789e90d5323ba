import type { NewApiKeyView } from '@tidegate/contracts/ops/api-keys';
import { facts } from '../output/table.js';
import { at } from '../output/time.js';

/** A new key as its maker sees it. */
export function newKeyText(key: Pick<NewApiKeyView, 'id' | 'key' | 'tenant' | 'scopes' | 'expires_at'>): string {
  const rows = facts([
    ['key', key.key],
    ['id', key.id],
    ['tenant', key.tenant],
    ['scopes', key.scopes.join(', ')],
    ['ends', key.expires_at === null ? 'never' : at(key.expires_at)],
  ]);
  return `${rows}\nKeep the key now: nothing shows it again.\n`;
}
