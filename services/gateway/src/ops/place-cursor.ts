/** The last row of a page of a list that several services make together: a page is right whoever was away for the one before. */
export interface Place {
  at: string;
  id: string;
}

export const cursorOf = (place: Place): string => Buffer.from(JSON.stringify([place.at, place.id])).toString('base64url');

/** Null for what is no cursor, or whose id nobody can have given out. */
export function readCursor(text: string, isId: (id: string) => boolean): Place | null {
  try {
    const [at, id] = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as unknown[];
    return typeof at === 'string' && !Number.isNaN(Date.parse(at)) && typeof id === 'string' && isId(id) ? { at, id } : null;
  } catch {
    return null;
  }
}
