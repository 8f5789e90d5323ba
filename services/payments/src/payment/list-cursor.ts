import { PaymentId } from '@tidegate/contracts/ids';
import { type z } from 'zod';

/** Where a list goes on: after this row, newest first. Opaque to callers. */
export interface Cursor {
  created_at: Date;
  id: string;
}

export const encodeCursor = ({ created_at, id }: Cursor): string =>
  Buffer.from(JSON.stringify([created_at.toISOString(), id])).toString('base64url');

/** As `toISOString` writes the years that the database knows. */
const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/** Null for anything that is not a cursor of ours; `ids` is the shape of the ids of this list. */
export function decodeCursor(text: string, ids: z.ZodType = PaymentId): Cursor | null {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    if (!Array.isArray(parsed)) return null;
    const [at, id] = parsed as unknown[];
    if (parsed.length !== 2 || typeof at !== 'string' || !ISO.test(at)) return null;
    const created_at = new Date(at);
    return ids.safeParse(id).success && !Number.isNaN(created_at.getTime()) ? { created_at, id: id as string } : null;
  } catch {
    return null;
  }
}
