import { styleText } from 'node:util';

type Style = Parameters<typeof styleText>[0];

/** Colours, where the terminal shows them. */
export interface Paint {
  good(text: string): string;
  bad(text: string): string;
  warn(text: string): string;
  dim(text: string): string;
  strong(text: string): string;
}

export function paint(colors: boolean): Paint {
  const as = (style: Style) => (text: string) => (colors ? styleText(style, text, { validateStream: false }) : text);
  return { good: as('green'), bad: as('red'), warn: as('yellow'), dim: as('dim'), strong: as('bold') };
}
