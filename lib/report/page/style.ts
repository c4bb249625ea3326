/** The style sheet of report.html, light or dark as the reader's system asks, and for paper. */
export const style = `
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --panel: #ffffff; --text: #1b2129; --muted: #5d6876; --line: #e1e5ea; --hover: #f1f4f7;
  --accent: #1f5fbf; --shadow: 0 1px 2px rgb(20 30 45 / 6%), 0 1px 8px rgb(20 30 45 / 4%);
  --robust: #0f7b6c; --not-robust: #c43d1d; --unknown: #c98a06; --misclassified: #76808d;
  --robust-text: #0b6458; --not-robust-text: #a93216; --unknown-text: #845a00; --misclassified-text: #535d69;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #11151a; --panel: #191f26; --text: #e6eaef; --muted: #9aa5b2; --line: #2c353f; --hover: #212932;
    --accent: #7fb0f5; --shadow: none;
    --robust: #2fb8a3; --not-robust: #ef6c4a; --unknown: #e0ac3b; --misclassified: #8c97a5;
    --robust-text: #5fd3c1; --not-robust-text: #ff9478; --unknown-text: #efc467; --misclassified-text: #b0bac5;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", Arial, sans-serif;
}
main { max-width: 1120px; margin: 0 auto; padding: 40px 24px 64px; }
h1, h2, h3, p, ul, dl, figure { margin: 0; padding: 0; }
ul { list-style: none; }
h1 { font-size: 32px; line-height: 1.2; letter-spacing: -0.015em; overflow-wrap: anywhere; }
h2 { font-size: 20px; line-height: 1.3; letter-spacing: -0.01em; }
section { margin-top: 48px; }
section > h2 + .scroll { margin-top: 12px; }
code { font: 0.92em/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; overflow-wrap: anywhere; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.visually-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.lead { color: var(--muted); max-width: 76ch; margin: 4px 0 16px; }
.fine { color: var(--muted); font-size: 13px; }

.brand { font-weight: 650; letter-spacing: -0.01em; margin-bottom: 20px; }
.brand span { color: var(--muted); font-weight: 400; }
.subtitle { color: var(--muted); margin-top: 8px; overflow-wrap: anywhere; }
.subtitle strong { color: var(--text); font-weight: 600; }
.state { display: inline-block; padding: 1px 9px; margin-right: 6px; border-radius: 99px; font-size: 13px; font-weight: 600; color: #fff; background: #0f7b6c; }
.state.incomplete { background: #9a6700; }
.state.failed { background: #b3341a; }
.alert { margin-top: 20px; padding: 16px 20px; border: 1px solid var(--unknown); border-left-width: 5px; border-radius: 8px; background: var(--panel); }
.alert.failed { border-color: var(--not-robust); }
.alert h2 { font-size: 17px; margin-bottom: 4px; }
.alert ul { list-style: disc; padding-left: 20px; margin-top: 6px; overflow-wrap: anywhere; }

.tiles { display: grid; grid-template-columns: repeat(4, 1fr); gap: 14px; }
#overview { margin-top: 28px; }
#overview h2 { margin-top: 40px; }
#audit > * + h2, #rounds > * + h2 { margin-top: 40px; }
.tile { display: flex; flex-direction: column; padding: 16px 20px; background: var(--panel); border-radius: 10px; box-shadow: var(--shadow); border: 1px solid var(--line); border-top: 3px solid var(--tone); }
.tile-name { font-weight: 600; color: var(--tone-text); }
.tile-count { font-size: 34px; line-height: 1.2; font-weight: 650; letter-spacing: -0.02em; font-variant-numeric: tabular-nums; }
.tile-share { color: var(--muted); font-size: 13px; }
.robust { --tone: var(--robust); --tone-text: var(--robust-text); }
.not-robust { --tone: var(--not-robust); --tone-text: var(--not-robust-text); }
.unknown { --tone: var(--unknown); --tone-text: var(--unknown-text); }
.misclassified { --tone: var(--misclassified); --tone-text: var(--misclassified-text); }

.chart { padding: 16px 20px; margin-bottom: 14px; background: var(--panel); border: 1px solid var(--line); border-radius: 10px; box-shadow: var(--shadow); }
.chart svg { display: block; width: 100%; height: auto; font-family: inherit; }
.drawing.narrow { display: none; }
.chart figcaption { display: flex; flex-wrap: wrap; gap: 4px 18px; color: var(--muted); font-size: 13px; padding-left: 4px; }
.key::before { content: ""; display: inline-block; width: 14px; height: 10px; margin-right: 6px; border-top: 2px solid; }
.key.certified::before { border-color: var(--robust); background: color-mix(in srgb, var(--robust) 18%, transparent); }
.key.open::before { border-color: var(--unknown); background: color-mix(in srgb, var(--unknown) 30%, transparent); }
.key.clean::before { height: 3px; border-top: 1px dashed var(--muted); }

.scroll { overflow-x: auto; background: var(--panel); border: 1px solid var(--line); border-radius: 10px; box-shadow: var(--shadow); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 8px 14px; text-align: left; vertical-align: baseline; white-space: nowrap; }
th.number, td.number { text-align: right; }
thead th { font-size: 13px; font-weight: 600; color: var(--muted); border-bottom: 1px solid var(--line); }
tbody tr + tr > *, tfoot tr > * { border-top: 1px solid var(--line); }
tbody th { font-weight: 600; min-width: 9ch; max-width: 40ch; white-space: normal; overflow-wrap: anywhere; }
tfoot th, tfoot td { color: var(--muted); font-weight: 600; }
.plain td:last-child:not(.number) { white-space: normal; min-width: 17ch; color: var(--muted); }
.strong { font-weight: 600; }
.bar-cell { width: 24%; min-width: 120px; vertical-align: middle; }
.bar { display: flex; gap: 1px; height: 12px; border-radius: 3px; overflow: hidden; background: var(--line); }
.bar span { background: var(--tone); }

.scale { display: flex; align-items: center; gap: 8px; color: var(--muted); font-size: 13px; margin-bottom: 12px; }
.scale-bar { width: 110px; height: 10px; border-radius: 2px; border: 1px solid var(--line); print-color-adjust: exact; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(310px, 1fr)); gap: 14px; }
.card { padding: 12px 14px; background: var(--panel); border: 1px solid var(--line); border-radius: 10px; box-shadow: var(--shadow); }
.card h3 { display: flex; align-items: baseline; gap: 7px; font-size: 17px; margin-bottom: 8px; }
.card .changed { color: var(--not-robust-text); }
.card .arrow { color: var(--muted); font-weight: 400; }
.card .where { margin-left: auto; font-size: 13px; font-weight: 400; color: var(--muted); overflow-wrap: anywhere; }
.pictures { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 8px; align-items: start; }
.pictures img { display: block; width: 100%; height: auto; min-height: 8px; image-rendering: pixelated; border-radius: 4px; background: #fff; box-shadow: 0 0 0 1px var(--line); }
.pictures figcaption { font-size: 12px; color: var(--muted); text-align: center; margin-top: 4px; }
.card .fine { margin-top: 6px; font-size: 12px; }

.controls { display: flex; flex-wrap: wrap; gap: 10px 14px; align-items: end; margin-bottom: 12px; }
.controls label { max-width: 100%; }
.controls select { max-width: min(100%, 260px); }
.controls label span { display: block; font-size: 12px; color: var(--muted); margin-bottom: 2px; }
.controls input, .controls select, .pager button {
  font: inherit; font-size: 14px; color: inherit; background: var(--panel); border: 1px solid var(--line); border-radius: 7px; padding: 0 10px; height: 34px;
}
.controls input { width: 260px; max-width: 100%; }
.controls .status { margin-left: auto; color: var(--muted); font-size: 13px; padding-bottom: 7px; font-variant-numeric: tabular-nums; }
.data-table > .scroll { max-height: 620px; overflow: auto; }
.data-table thead th { position: sticky; top: 0; z-index: 1; padding: 0; background: var(--panel); box-shadow: inset 0 -1px var(--line); border: 0; }
.data-table th button { display: block; width: 100%; padding: 9px 14px; border: 0; background: none; color: inherit; font: inherit; text-align: inherit; cursor: pointer; white-space: nowrap; }
.data-table th.number button { display: flex; flex-direction: row-reverse; align-items: baseline; }
.data-table th button:focus-visible { outline-offset: -3px; }
/* The part after the slash: screen readers get the order from aria-sort, not from the arrow. */
.data-table th button::after { content: "▲" / ""; font-size: 9px; margin-left: 5px; opacity: 0; }
.data-table th.number button::after { margin: 0 5px 0 0; }
.data-table th button:hover, .data-table th:not([aria-sort="none"]) button { color: var(--text); }
.data-table th button:hover::after { opacity: 0.35; }
.data-table th:not([aria-sort="none"]) button::after { opacity: 1; }
.data-table th[aria-sort="descending"] button::after { content: "▼" / ""; }
.data-table td { padding: 5px 14px; font-size: 14px; max-width: 44ch; overflow: hidden; text-overflow: ellipsis; }
.data-table tbody tr:hover { background: var(--hover); }
.verdict { color: var(--tone-text); font-weight: 600; white-space: nowrap; }
.verdict::before { content: ""; display: inline-block; width: 8px; height: 8px; border-radius: 50%; background: var(--tone); margin-right: 7px; print-color-adjust: exact; }
.pager { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; justify-content: flex-end; margin-top: 10px; }
.pager .place { color: var(--muted); font-size: 13px; padding: 0 8px; font-variant-numeric: tabular-nums; }
.pager button { cursor: pointer; }
.pager button:disabled { opacity: 0.45; cursor: default; }
.one-page .pager { display: none; }
#batches > .scroll { margin-bottom: 20px; }

dt { color: var(--muted); }
dd { margin: 0; }
.guide { display: grid; grid-template-columns: 1fr 1fr; gap: 14px 32px; }
.guide dt { margin-bottom: 2px; }
.facts { columns: 2; column-gap: 40px; margin-top: 12px; font-size: 14px; }
.facts > div { display: grid; grid-template-columns: 150px 1fr; gap: 12px; padding: 6px 0; border-bottom: 1px solid var(--line); break-inside: avoid; overflow-wrap: anywhere; }

@media screen and (max-width: 760px) {
  main { padding: 24px 14px 48px; }
  h1 { font-size: 25px; }
  section { margin-top: 36px; }
  .tiles { grid-template-columns: 1fr 1fr; gap: 10px; }
  .tile { padding: 12px 14px; }
  .tile-count { font-size: 26px; }
  .drawing.wide { display: none; }
  .drawing.narrow { display: block; }
  .chart { padding: 12px; }
  th, td { padding: 7px 10px; }
  .bar-cell { display: none; }
  .guide { grid-template-columns: 1fr; }
  .facts { columns: 1; }
  .facts > div { grid-template-columns: 120px 1fr; }
  .gallery { grid-template-columns: 1fr; }
  .controls .search, .controls input { width: 100%; }
  .controls .status { margin-left: 0; }
  .pager { justify-content: center; }
}
@media print {
  :root {
    --page: #fff; --panel: #fff; --text: #000; --muted: #444; --line: #ccc; --shadow: none;
    --robust: #0f7b6c; --not-robust: #c43d1d; --unknown: #c98a06; --misclassified: #76808d;
    --robust-text: #0b6458; --not-robust-text: #a93216; --unknown-text: #845a00; --misclassified-text: #535d69;
  }
  body { font-size: 11px; }
  main { max-width: none; padding: 0; }
  section { margin-top: 24px; }
  h2 { break-after: avoid; }
  .tile, .chart, .card, tr { break-inside: avoid; }
  .bar span, .state, .tile { print-color-adjust: exact; }
  .gallery { grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 8px; }
  .pictures figcaption { font-size: 9px; }
  .card .fine, .tile-share, .fine, .scale, .chart figcaption { font-size: 10px; }
  .controls label, .pager button { display: none; }
  .data-table > .scroll { max-height: none; overflow: visible; }
  .data-table thead th { position: static; }
  .scroll { overflow: visible; }
  th, td, thead th, .data-table td, .data-table th button { padding: 3px 6px; font-size: 10px; white-space: normal; }
  .facts { font-size: 11px; }
}
`;
