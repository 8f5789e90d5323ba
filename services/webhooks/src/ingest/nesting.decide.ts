const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const [BRACE, BRACKET] = [0x7b, 0x5b];

/** Whether arrays and objects nest deeper in JSON text than that. Most texts have not so many opening brackets at all, which is seen much sooner. */
export const nestsDeeper = (json: Buffer, most: number): boolean => hasMore(json, most) && nestingDepth(json) > most;

/** Whether there are more opening brackets than that, inside of strings or not. */
function hasMore(json: Buffer, most: number): boolean {
  let found = 0;
  for (const opening of [BRACE, BRACKET])
    for (let at = json.indexOf(opening); at >= 0; at = json.indexOf(opening, at + 1)) if ((found += 1) > most) return true;
  return false;
}

/**
 * How deep arrays and objects nest in JSON text, counted over the bytes so that the parser never sees a bomb. Bytes of multi-byte characters
 * are all above 0x7f and cannot be mistaken for brackets.
 */
export function nestingDepth(json: Uint8Array): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let at = 0; at < json.length; at += 1) {
    const byte = json[at];
    if (inString) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === BRACE || byte === BRACKET) deepest = Math.max(deepest, (depth += 1));
    else if (byte === 0x7d || byte === 0x5d) depth -= 1;
  }
  return deepest;
}
