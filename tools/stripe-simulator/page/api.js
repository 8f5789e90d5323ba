import { toast } from './dom.js';

/** Calls a control route. Gives the answer, or throws an error whose message is the simulator's own sentence. */
export async function call(method, path, body) {
  const response = await fetch(path, { method, ...(body !== undefined && { body: JSON.stringify(body) }) });
  const value = await response.json();
  if (response.ok) return value;
  throw new Error(typeof value.error === 'string' ? value.error : (value.error?.message ?? `HTTP ${response.status}`));
}

/** As `call`, with the outcome told in a toast. Gives whether it worked. */
export async function tell(method, path, body, done) {
  try {
    const value = await call(method, path, body);
    toast(typeof done === 'function' ? done(value) : done);
    return true;
  } catch (error) {
    toast(error.message, true);
    return false;
  }
}
