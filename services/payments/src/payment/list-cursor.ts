/** Where a list goes on: after this row, newest first. Opaque to callers. */
export interface Cursor {
  created_at: Date;
  id: string;
}

export const encodeCursor = ({ created_at, id }: Cursor): string =>
  Buffer.from(JSON.stringify([created_at.toISOString(), id])).toString('base64url');

/** Null for anything that is not a cursor of ours. */
export function decodeCursor(text: string): Cursor | null {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    if (!Array.isArray(parsed)) return null;
    const [at, id] = parsed as unknown[];
    const created_at = new Date(String(at));
    return typeof id === 'string' && !Number.isNaN(created_at.getTime()) ? { created_at, id } : null;
  } catch {
    return null;
  }
}
