import { type FormMap } from '../http/form.js';
import { type World } from '../world.js';

/** Parameters that name the object a request is really about. */
const SUBJECTS = ['payment_intent', 'charge', 'subscription', 'invoice'];

/** The objects that a request changes, as far as its address and parameters tell; a charge stands for its intent. Reading locks nothing. */
export function lockedObjects(world: World, method: string, id: string, form: FormMap): string[] {
  if (method === 'GET') return [];
  const named = SUBJECTS.map((name) => form[name]).filter((value) => typeof value === 'string' && value !== '');
  return [...new Set([id, ...(named as string[])].filter((one) => one !== '').map((one) => world.charges.get(one)?.payment_intent ?? one))];
}
