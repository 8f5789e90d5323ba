/** Of the page of all events: a menu on the left, one column to read, and paper. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --line: #dfe4ea; --paper: #fff; --tint: #f5f7f9; --accent: #0b6b5b; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #dfe6ee; --soft: #93a0b0; --line: #2b3440; --paper: #12171e; --tint: #1a212a; --accent: #58c4ae; }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; display: grid; grid-template-columns: 20rem minmax(0, 1fr); color: var(--ink); background: var(--paper); font: 15px/1.55 system-ui, sans-serif; }
a { color: var(--accent); text-decoration: none; }
a:hover { text-decoration: underline; }
code, pre { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 0.92em; }
nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.25rem; border-right: 1px solid var(--line); background: var(--tint); font-size: 13px; }
nav .home { display: block; margin-bottom: 1rem; font-weight: 600; color: var(--ink); }
nav ul { list-style: none; margin: 0.25rem 0 1rem; padding: 0 0 0 0.9rem; }
nav li { overflow-wrap: anywhere; }
summary { cursor: pointer; color: var(--soft); }
nav summary { font-weight: 600; }
main { max-width: 60rem; padding: 2rem 2.5rem 4rem; }
h1 { margin: 0 0 1rem; font-size: 1.7rem; }
h2 { margin: 3rem 0 0.5rem; font-size: 1.25rem; }
h3 { margin: 0; font-size: 1rem; overflow-wrap: anywhere; }
article { padding: 1rem 0; border-top: 1px solid var(--line); }
article p { margin: 0.35rem 0; }
article:target h3 { color: var(--accent); }
.data span { color: var(--soft); }
.either + .either { margin-top: 1rem; }
pre { margin: 0.5rem 0 0; padding: 0.9rem; overflow-x: auto; background: var(--tint); border: 1px solid var(--line); border-radius: 6px; }
table { table-layout: fixed; width: 100%; margin-top: 0.5rem; border-collapse: collapse; font-size: 13.5px; }
th:first-child { width: 38%; }
th:nth-child(2) { width: 22%; }
th { text-align: left; font-weight: 600; color: var(--soft); }
th, td { padding: 0.25rem 0.75rem 0.25rem 0; vertical-align: top; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
@media (max-width: 50rem) {
  body { display: block; }
  nav { position: static; height: auto; max-height: 40vh; border-right: 0; border-bottom: 1px solid var(--line); }
  main { padding: 1.25rem; }
}
@media print { nav { display: none; } body { display: block; } }
`;
