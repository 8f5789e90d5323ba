import { ar } from './labels/ar.js';
import { de } from './labels/de.js';
import { en } from './labels/en.js';
import { fr } from './labels/fr.js';
import { ja } from './labels/ja.js';
import type { Labels } from './labels/labels-shape.js';

const BY_LANGUAGE: Readonly<Record<string, Labels>> = { ar, de, en, fr, ja };

/** The first wanted locale whose language has labels, else `en`. Words and figures always speak the same language. */
export function labelsFor(wanted: readonly (string | null)[]): { locale: string; labels: Labels } {
  for (const locale of wanted) {
    const language = locale === null ? undefined : languageOf(locale);
    const labels = language === undefined ? undefined : BY_LANGUAGE[language];
    if (locale !== null && labels) return { locale, labels };
  }
  return { locale: 'en', labels: en };
}

/** Which way the lines of a locale run. */
export function directionOf(locale: string): 'ltr' | 'rtl' {
  return languageOf(locale) === 'ar' ? 'rtl' : 'ltr';
}

function languageOf(locale: string): string | undefined {
  try {
    return new Intl.Locale(locale).language;
  } catch {
    return undefined;
  }
}
