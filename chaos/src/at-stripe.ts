import { type AtStripe, type StripeThing } from './stripe-flows.js';

/** Acts on the simulator over HTTP. Throws for whatever is neither an answer nor a decline. */
export function atStripe(url: string, key = 'sk_test_simulator'): AtStripe {
  const headers = { authorization: `Bearer ${key}` };
  return {
    post: async (path, form = {}) =>
      thing(path, await fetch(`${url}/v1/${path}`, { method: 'POST', headers, body: new URLSearchParams(form) })),
    remove: async (path) => thing(path, await fetch(`${url}/v1/${path}`, { method: 'DELETE', headers })),
    act: async (action, order) => thing(action, await json(`${url}/__dashboard/${action}`, order)),
    pass: async (advance_seconds) => void (await thing('the clock', await json(`${url}/__clock`, { advance_seconds }))),
  };
}

const json = (url: string, order: object): Promise<Response> =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(order) });

async function thing(what: string, answer: Response): Promise<StripeThing> {
  const value = (await answer.json()) as StripeThing & { error?: { payment_intent?: StripeThing } };
  if (answer.ok) return value;
  if (answer.status === 402) return value.error?.payment_intent ?? value;
  throw new Error(`${what} answered ${answer.status}: ${JSON.stringify(value)}`);
}
