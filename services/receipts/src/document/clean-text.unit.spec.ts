import { describe, expect, it } from '@jest/globals';
import { cleanText, cleanTextOrNull } from './clean-text.js';

describe('When user text is put into a document', () => {
  it.each([
    ['bidi overrides', 'invoice\u202Efdp.exe', 'invoicefdp.exe'],
    ['bidi isolates and marks', '\u2066a\u2069\u200Fb\u061C', 'ab'],
    ['control characters', 'a\u0000b\u001Bc\u009Fd', 'abcd'],
    ['zero-width characters and soft hyphens', 'a\u200Bb\u200Dc\u00ADd\uFEFF', 'abcd'],
    ['private-use and unassigned characters', 'a\uE000b\u{10FFFF}c', 'abc'],
    ['lone surrogates', 'a\uD800b', 'a\uFFFDb'],
    ['line breaks and runs of spaces', '  one\r\ntwo\u2028\tthree\u00A0 four ', 'one two three four'],
  ])('takes out %s', (_, text, clean) => {
    expect(cleanText(text)).toBe(clean);
  });

  it('keeps letters of every script, accents and emoji', () => {
    const text = 'Ünïcödé Кофе Καφές 漢字 عربى 🎟️'.normalize('NFC').replace('\uFE0F', '');
    expect(cleanText(text)).toBe(text);
  });

  it('composes letters with their accents', () => {
    expect(cleanText('e\u0301')).toBe('é');
  });

  it('keeps markup as the characters it consists of', () => {
    expect(cleanText('*bold* #panic() $x$ <script>')).toBe('*bold* #panic() $x$ <script>');
  });

  it('shortens by whole code points and says so', () => {
    expect(cleanText('🎟'.repeat(6), 4)).toBe('🎟🎟🎟…');
  });

  it('is null when nothing is left of it', () => {
    expect([cleanTextOrNull('\u202E \u0000'), cleanTextOrNull(null), cleanTextOrNull('x')]).toEqual([null, null, 'x']);
  });
});
