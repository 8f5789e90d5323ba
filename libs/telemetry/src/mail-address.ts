/** Bounded, so that a long line costs no more than its length. */
const PART = `[^\\s@"'<>()[\\]{},;:\\\\/=&?%]`;
/** Neither a host behind a user name, nor the rest of a JSON escape, which would be none without it. */
const BEFORE = String.raw`(?<!://[^\s@"]{0,255})(?<!(?<!\\)(?:\\\\){0,9}\\(?:u[\da-f]{0,3})?)`;
/** Also as it stands in a URL. */
const MAIL_ADDRESS = new RegExp(`${BEFORE}${PART}{1,255}(?:@|%40)${PART}{1,255}\\.\\p{L}{2,}`, 'giu');

/** The text without its mail addresses, each of which is named as one: it may outlive what is known of whom it names. */
export const withoutMailAddresses = (text: string): string =>
  text.includes('@') || text.includes('%40') ? text.replace(MAIL_ADDRESS, '[mail address]') : text;
