import { type GrafanaDashboard } from './dashboard-file.js';
import { escaped } from './draw-panel.js';

const STYLE = `
body{font:14px/1.4 system-ui,sans-serif;margin:0;background:#f8fafc;color:#0f172a}
header{padding:12px 20px;background:#0f172a;color:#f8fafc}
h1{font-size:18px;margin:0 0 4px}header p{margin:0;color:#cbd5e1}
nav a{color:#93c5fd;margin-right:14px;text-decoration:none}nav a[aria-current]{color:#fff;font-weight:600}
main{display:grid;grid-template-columns:repeat(auto-fill,minmax(380px,1fr));gap:12px;padding:12px 20px}
figure{margin:0;padding:10px 12px;background:#fff;border:1px solid #e2e8f0;border-radius:6px;min-width:0}
figcaption{font-weight:600}figure p{margin:2px 0;color:#64748b;font-size:12px}.empty{padding:40px 0;text-align:center}
svg{width:100%;height:auto;display:block}svg text{font-size:10px;fill:#64748b}
polyline{fill:none;stroke-width:1.5;stroke-linecap:round}.grid{stroke:#e2e8f0}.limit{stroke:#dc2626;stroke-dasharray:4 3}
ul{list-style:none;margin:4px 0 0;padding:0;font-size:12px}li{display:inline-block;margin-right:10px;overflow-wrap:anywhere}
li i{display:inline-block;width:9px;height:9px;border-radius:2px;margin-right:4px}
dl{display:grid;grid-template-columns:1fr auto;gap:4px 12px;margin:8px 0;font-size:16px}dd{margin:0;font-weight:600}
.alert{display:inline-block;background:#dc2626;color:#fff;border-radius:4px;padding:1px 8px;margin:4px 6px 0 0}`;

export interface BoardPage {
  shown: GrafanaDashboard;
  all: readonly GrafanaDashboard[];
  /** The panels, drawn. */
  figures: readonly string[];
  /** Names of alerts that fire. */
  firing: readonly string[];
}

/** One dashboard as a page that renews itself. */
export function boardPage({ shown, all, figures, firing }: BoardPage): string {
  const links = all.map(
    ({ uid, title }) =>
      `<a href="/${uid}"${uid === shown.uid ? ' aria-current="page"' : ''}>${escaped(title.replace('Tidegate: ', ''))}</a>`,
  );
  const alerts = firing.map((name) => `<span class="alert">${escaped(name)}</span>`);
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="10">',
    `<meta name="viewport" content="width=device-width"><title>${escaped(shown.title)}</title><style>${STYLE}</style></head><body>`,
    `<header><h1>${escaped(shown.title)}</h1><p>${escaped(shown.description)}</p><nav>${links.join('')}</nav>${alerts.join('')}</header>`,
    `<main>${figures.join('')}</main></body></html>`,
  ].join('\n');
}
