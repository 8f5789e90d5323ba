/**
 * User text as it may stand in a document: NFC, one line, no control, format, bidi-override, private-use or unassigned characters,
 * at most `max` code points (an ellipsis says that more was there). Markup needs no care here: text reaches the template as data.
 */
export function cleanText(text: string, max = 500): string {
  const oneLine = text
    .toWellFormed()
    .normalize('NFC')
    .replace(/[\p{Zs}\t\n\v\f\r\u0085\u2028\u2029]+/gu, ' ')
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}]/gu, '')
    .trim();
  const points = [...oneLine];
  return points.length <= max ? oneLine : `${points.slice(0, max - 1).join('')}…`;
}

/** `cleanText`, with null for what is empty afterwards. */
export function cleanTextOrNull(text: string | null | undefined, max?: number): string | null {
  return text == null ? null : cleanText(text, max) || null;
}
