import { DARK, figureCss, LIGHT } from '../charts/figure-style.ts';

/** The page's style sheet: quiet, for screens in light and dark, and for paper. */
export const PAGE_CSS = `
:root { color-scheme: light dark; --ink: #1b1b1b; --quiet: #595959; --line: #d9d9d9; --page: #ffffff; --shade: #f4f4f2; --alarm: #9c2f00; --alarm-page: #fff1ea; }
* { box-sizing: border-box; }
html { background: var(--page); color: var(--ink); font: 16px/1.55 Charter, 'Bitstream Charter', 'Iowan Old Style', 'Palatino Linotype', 'Source Serif 4', Georgia, serif; -webkit-text-size-adjust: 100%; }
body { max-width: 62rem; margin: 0 auto; padding: 3rem 1.5rem 4rem; }
h1, h2, h3, th, figcaption, caption, .facts, table, .warning, svg text { font-family: system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', 'Liberation Sans', Arial, sans-serif; }
h1 { font-size: 1.85rem; line-height: 1.2; letter-spacing: -0.01em; margin: 0 0 0.75rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 3rem 0 0.6rem; }
h3 { font-size: 1rem; margin: 2rem 0 0.4rem; }
p { margin: 0.6rem 0; max-width: 46rem; }
code { font: 0.88em ui-monospace, SFMono-Regular, Menlo, Consolas, 'Liberation Mono', monospace; overflow-wrap: anywhere; }
.facts { color: var(--quiet); font-size: 0.875rem; margin: 0 0 1.5rem; max-width: none; }
.warning { border-left: 4px solid var(--alarm); background: var(--alarm-page); color: var(--alarm); font-weight: 600; padding: 0.7rem 1rem; margin: 1rem 0; max-width: none; }
figure { margin: 1.25rem 0 2rem; }
figure svg { display: block; width: 100%; height: auto; }
figcaption, caption { color: var(--quiet); font-size: 0.84rem; line-height: 1.5; text-align: left; margin: 0.6rem 0 0; max-width: 50rem; }
caption { padding: 0 0 0.5rem; }
figcaption b, caption b { color: var(--ink); }
.scroll { overflow-x: auto; margin: 1.25rem 0; }
table { border-collapse: collapse; font-size: 0.8125rem; line-height: 1.4; font-variant-numeric: tabular-nums; }
th, td { padding: 0.28rem 1rem 0.28rem 0; text-align: left; vertical-align: top; font-weight: 400; }
th:last-child, td:last-child { padding-right: 0; }
thead th { border-bottom: 1px solid var(--ink); font-weight: 600; vertical-align: bottom; }
tbody { border-bottom: 1px solid var(--ink); }
tbody tr + tr > * { border-top: 1px solid var(--line); }
.pair { display: flex; flex-wrap: wrap; gap: 0 2rem; }
.pair table { font-size: 0.75rem; }
.pair th, .pair td { padding-right: 0.5rem; }
.pair caption { max-width: 27rem; }
.pair > * { flex: 0 1 auto; }
.number { text-align: right; white-space: nowrap; }
.name { white-space: nowrap; }
.outside { overflow-wrap: anywhere; max-width: 24rem; }
.crops { display: flex; gap: 4px; padding: 2px 0; }
.crops img { width: 72px; height: 72px; flex: none; object-fit: contain; background: var(--shade); image-rendering: auto; }
.crops img.enlarged { image-rendering: pixelated; }
.crops .missing { flex: none; width: 72px; height: 72px; padding: 4px; background: var(--shade); color: var(--quiet); font-size: 0.65rem; line-height: 1.25; overflow: hidden; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.3rem 1.5rem; margin: 1rem 0; font-size: 0.875rem; }
dt { color: var(--quiet); }
dd { margin: 0; overflow-wrap: anywhere; }
details { margin: 1rem 0; font-size: 0.875rem; }
summary { cursor: pointer; color: var(--quiet); }
footer { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: 0.75rem; color: var(--quiet); font-size: 0.8125rem; }
${figureCss(LIGHT)}
@media (prefers-color-scheme: dark) { @media screen {
:root { --ink: #ededed; --quiet: #a8a8a8; --line: #3d3d3d; --page: #161616; --shade: #242424; --alarm: #ffb38a; --alarm-page: #33190c; }
${figureCss(DARK)}
} }
@media print {
@page { size: A4; margin: 16mm 15mm; }
:root { color-scheme: light; }
html { font-size: 12.5px; }
body { max-width: none; padding: 0; }
h2, h3, caption { break-after: avoid; }
figure, tr, .whole, .warning, dl > * { break-inside: avoid; }
thead { display: table-header-group; }
.scroll { overflow: visible; }
.crops { gap: 3px; }
.crops img, .crops .missing { width: 52px; height: 52px; }
th, td { padding-right: 0.7rem; }
svg, img, .warning { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
@media (max-width: 40rem) { body { padding: 1.5rem 1rem 3rem; } dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 0.5rem; } figure { overflow-x: auto; } figure svg { min-width: 44rem; } }
`;
