import { type Stored } from '../store/collection.js';
import { type Call } from './call.js';
import { noSuch } from './errors.js';
import { type ListEnvelope, limitOf } from './list.js';

/** Answers a list request from the parts of one object, in their own order (line items, invoice lines). */
export function arrayPage<T extends Stored>(call: Call, items: readonly T[], options: { noun: string; url: string }): ListEnvelope<T> {
  const limit = limitOf(call.params['limit'] as number | undefined);
  const after = call.params['starting_after'] as string | undefined;
  const before = call.params['ending_before'] as string | undefined;
  const position = (id: string, param: string): number => {
    const at = items.findIndex((item) => item.id === id);
    if (at === -1) throw noSuch(options.noun, id, param);
    return at;
  };
  const from = after === undefined ? 0 : position(after, 'starting_after') + 1;
  const to = before === undefined ? items.length : position(before, 'ending_before');
  const window = items.slice(from, to);
  const data = before === undefined ? window.slice(0, limit) : window.slice(-limit);
  return { object: 'list', data, has_more: window.length > limit, url: options.url };
}
