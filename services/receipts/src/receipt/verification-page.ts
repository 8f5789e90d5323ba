import { DEFAULT_ACCENT } from '../document/compose-document.js';
import { cleanText } from '../document/clean-text.js';
import { directionOf, labelsFor } from '../document/labels.js';
import { moneyText } from '../document/money-text.js';
import { dateText } from '../document/zoned-date.js';
import type { Receipt } from './receipt.state.js';

/** What was issued under a number, in the seller's language: for whoever holds the document, so it names nobody but the seller. */
export function verificationPage({ facts, rendering, voidedAt }: Pick<Receipt, 'facts' | 'rendering' | 'voidedAt'>): string {
  const { locale, labels } = labelsFor([facts.locale]);
  const dayOf = (instant: string) => dateText(new Date(instant), facts.zone, locale);
  const title = facts.kind === 'credit_note' ? labels.credit_note : labels.receipt;
  const rows: [label: string, value: string | undefined][] = [
    [facts.kind === 'credit_note' ? labels.credit_note_number : labels.receipt_number, facts.number],
    [labels.refers_to, facts.refers_to?.number],
    [labels.issued_on, dayOf(facts.issued_at)],
    [labels.amount, moneyText(facts.amount, facts.currency, locale)],
    ['SHA-256', rendering?.sha256],
  ];
  const state = voidedAt === null ? labels.valid : labels.voided_on(dayOf(voidedAt));
  const test = facts.livemode ? '' : `<p class="quiet">${html(labels.test_mode)}</p>`;
  return `<!doctype html>
<html lang="${html(new Intl.Locale(locale).language)}" dir="${directionOf(locale)}">
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">
<title>${html(title)} ${html(facts.number)}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; color: #17212b; max-width: 34rem; margin: 3rem auto; padding: 0 1.25rem }
h1 { font-size: 1.25rem; margin: 0 0 .25rem } .quiet, dt { color: #5d6975 } dd { margin: 0 0 .75rem; overflow-wrap: anywhere }
.state { display: inline-block; padding: .2rem .7rem; border-radius: 1rem; color: #fff; background: ${voidedAt === null ? accentOf(facts.seller.accent) : '#a3301f'} }
</style>
<h1>${html(cleanText(facts.seller.name, 120))}</h1>
<p>${html(title)}</p>
<p class="state">${html(state)}</p>${test}
<dl>${rows.map(([label, value]) => (value === undefined ? '' : `<dt>${html(label)}</dt><dd>${html(value)}</dd>`)).join('')}</dl>
</html>
`;
}

const accentOf = (accent: string | null | undefined): string => (accent && /^#[0-9a-f]{6}$/i.test(accent) ? accent : DEFAULT_ACCENT);

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const html = (text: string): string => text.replace(/[&<>"']/g, (character) => ESCAPES[character] ?? character);
