import { type Answer } from '../http/answer.js';

const STYLE = ['theme', 'hosted'].map((name) => `<link rel="stylesheet" href="/__page/${name}.css">`).join('');

/** A small page of its own. */
export function html(body: string, status = 200): Answer {
  return {
    status,
    headers: { 'Content-Type': 'text/html; charset=utf-8' },
    body: `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Stripe simulator</title>${STYLE}<main>${body}</main></html>`,
  };
}

export function redirect(to: string): Answer {
  return { status: 303, headers: { Location: to }, body: '' };
}

/** Text from outside, made harmless in text and attributes. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
