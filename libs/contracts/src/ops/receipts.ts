import { z } from 'zod';
import { ReceiptView } from '../responses.js';

/** A receipt as an operator sees it, whoever's it is. */
export const OperatorReceiptView = ReceiptView.extend({
  tenant: z.string(),
  /** Why the last attempt to make its document failed. */
  error: z.string().nullable(),
  /** SHA-256 of what stands in it, and the engine and fonts it was made with. */
  input: z.string().nullable(),
  engine: z.string().nullable(),
  fonts: z.string().nullable(),
  /** How many mails were begun, how the last one ended and when. */
  mails: z.int(),
  mailed_at: z.iso.datetime().nullable(),
  mail_error: z.string().nullable(),
});
export type OperatorReceiptView = z.infer<typeof OperatorReceiptView>;

/**
 * What became of a receipt that was made again to compare: `same` bytes, other bytes by `other_parts` (template, fonts or engine are not those that it was made
 * with), other bytes because the payer was erased since (`erased`), other bytes although everything is the same (`differs`), never made so far (`not_rendered`), or not to be made now (`failed`). `stored` is how its
 * document lies in the store.
 */
export const ReceiptCheck = z.object({
  id: z.string(),
  number: z.string(),
  tenant: z.string(),
  result: z.enum(['same', 'other_parts', 'erased', 'differs', 'not_rendered', 'failed']),
  stored: z.enum(['sound', 'missing', 'damaged', 'unreadable']),
  error: z.string().nullable(),
});
export type ReceiptCheck = z.infer<typeof ReceiptCheck>;

/** One page of a verification: `total` is how many receipts the whole range has. */
export const ReceiptChecks = z.object({
  data: z.array(ReceiptCheck),
  has_more: z.boolean(),
  next_cursor: z.string().nullable(),
  total: z.int(),
});
export type ReceiptChecks = z.infer<typeof ReceiptChecks>;
