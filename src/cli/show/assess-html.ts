import type { Assessed, AssessedQuality, AssessedRows } from '../../assess/assess.js';
import { noun, plural } from '../../core/plural.js';
import { nextLines } from './next.js';
import { count } from './terminal.js';

/** Rows of a table of figures on the page, and bars of a chart. */
const ROWS = 200;
const BARS = 30;

/**
 * An assessment as one HTML page that needs no network: light and dark, narrow and wide, and on paper. Everything out of
 * the old system is escaped; the page's own policy forbids scripts and requests.
 */
export function assessPage(assessed: Assessed): string {
  const { pipeline, summary, system, at } = assessed;
  const failing = assessed.quality.filter(({ offenders }) => offenders > 0);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${text(pipeline)}: assessment</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>${text(pipeline)}</h1>
<p>${text(summary)}</p>
<p class="quiet">${text(system.kind === 'sqlite' ? `SQLite file ${system.name}` : system.name)}, as it was at <time datetime="${text(at)}">${text(at.slice(0, 19).replace('T', ' '))} UTC</time></p>
<ul class="totals">
${total(assessed.errors, noun(assessed.errors, 'error'), assessed.errors > 0 ? 'error' : 'good')}
${total(assessed.warnings, noun(assessed.warnings, 'warning'), assessed.warnings > 0 ? 'warning' : 'good')}
${total(assessed.quality.length - failing.length, `${noun(assessed.quality.length - failing.length, 'question')} without offenders`, 'plain')}
</ul>
<p class="quiet">Errors stop a run before anything is written; warnings are shown, and it goes on.</p>
</header>
<main>
${section('Data quality', quality(assessed.quality))}
${section('Rows that a run would reject', rejected(assessed.rows))}
${section(
  'Rows per table',
  bars(
    assessed.tables.map(({ name, of, rows }) => ({
      label: of === 'target' ? `${name} (to be published)` : name,
      value: rows ?? 0,
      shown: rows === null ? 'not there' : count(rows),
    })),
  ),
)}
${section(
  'Inputs',
  grid(
    ['input', 'from', 'rows', 'unreadable'],
    assessed.inputs.map((each) => [each.name, each.from, count(each.rows), count(each.rejected)]),
    [2, 3],
  ),
)}
${assessed.figures.map((each) => section(each.name, figure(each), each.summary)).join('\n')}
</main>
</body>
</html>
`;
}

function total(n: number, what: string, kind: string): string {
  return `<li class="${kind}"><b>${count(n)}</b> ${text(what)}</li>`;
}

function section(title: string, content: string, summary = ''): string {
  const said = summary === '' ? '' : `<p class="quiet">${text(summary)}</p>\n`;
  return `<section>\n<h2>${text(title)}</h2>\n${said}${content}\n</section>`;
}

/** The rejects by reason, with an example of each. */
function rejected(rows: AssessedRows): string {
  if ('why' in rows) return `<p>Not asked: ${text(rows.why)}</p>`;
  const { read, rejected: n, errors, refused } = rows;
  const said = refused ?? (n === 0 ? `None of ${count(read)}.` : `${count(n)} of ${count(read)}.`);
  if (errors.length === 0) return `<p>${text(said)}</p>`;
  const cells = errors.map(({ reason, column, rows: met, example }) => [
    `${reason.replaceAll('_', ' ')}${column === null ? '' : ` (${column})`}`,
    count(met),
    `${example.input}${example.line === null ? '' : `, line ${example.line}`}: ${example.message}`,
  ]);
  return `<p>${text(said)}</p>\n${grid(['reason', 'rows', 'for example'], cells, [1])}`;
}

/** Offenders first, errors before warnings; what is in order is folded away. */
function quality(all: readonly AssessedQuality[]): string {
  if (all.length === 0) return '<p>Nothing is declared, and the catalog raises no question.</p>';
  const rank = (each: AssessedQuality) => (each.severity === 'error' ? 0 : 1);
  const wrong = all.filter(({ offenders }) => offenders > 0).sort((a, b) => rank(a) - rank(b));
  const right = all.filter(({ offenders }) => offenders === 0);
  const good =
    right.length === 0
      ? ''
      : `<details${wrong.length === 0 ? ' open' : ''}><summary>${plural(right.length, 'question', undefined, count(right.length))} without offenders</summary>\n<ul class="good">${right
          .map(
            ({ name, of }) =>
              `<li>${text(name)} <span class="quiet">${plural(of, 'row', undefined, count(of))}</span></li>`,
          )
          .join('\n')}</ul></details>`;
  return `${wrong.map(offence).join('\n')}\n${good}`;
}

function offence({ name, summary, severity, offenders, of, examples, next, by }: AssessedQuality): string {
  const share = of === 0 ? 0 : Math.min(100, (100 * offenders) / of);
  return `<article class="${severity}">
<h3><span class="mark">${severity}</span> ${text(name)}</h3>
<p>${text(summary)}: not so in <b>${count(offenders)}</b> of ${plural(of, 'row', undefined, count(of))} (${percent(share)})${by === 'catalog' ? ' <span class="quiet">raised by the catalog</span>' : ''}</p>
<div class="share"><i style="width:${Math.max(share, 0.5).toFixed(2)}%"></i></div>
${examples.length === 0 ? '' : `<ul>${examples.map((example) => `<li><code>${text(example)}</code></li>`).join('')}</ul>`}
${nextLines(next, 'record')
  .map((step) => `<p class="next">Next: ${text(step)}</p>`)
  .join('')}
</article>`;
}

const percent = (share: number) => (share > 0 && share < 0.1 ? 'less than 0.1%' : `${share.toFixed(1)}%`);

function figure({ columns, rows, chart }: Assessed['figures'][number]): string {
  if (rows.length === 0) return '<p>No rows.</p>';
  const numeric = columns.flatMap((column, at) =>
    column !== chart?.label &&
    rows.every((row) => row[at] !== null && /^-?\d{1,15}(\.\d+)?$/.test(row[at] ?? ''))
      ? [at]
      : [],
  );
  const shown = rows
    .slice(0, ROWS)
    .map((row) => row.map((cell, at) => (numeric.includes(at) ? count(Number(cell)) : (cell ?? ''))));
  const more = rows.length > ROWS ? `<p class="quiet">… and ${count(rows.length - ROWS)} more</p>` : '';
  const all = `${grid(columns, shown, numeric)}${more}`;
  const label = columns.indexOf(chart?.label ?? '');
  const value = columns.indexOf(chart?.value ?? '');
  if (label < 0 || value < 0) return all;
  const drawn = bars(
    rows.slice(0, BARS).map((row) => ({
      label: row[label] ?? '(none)',
      value: Number(row[value] ?? 0),
      shown: count(Number(row[value] ?? 0)),
    })),
  );
  return `${drawn}\n<details><summary>as a table</summary>${all}</details>`;
}

/** A bar for each value, against the largest. Names stand above their bar, so that long ones fit a phone. */
function bars(
  values: readonly { readonly label: string; readonly value: number; readonly shown: string }[],
): string {
  const most = Math.max(1, ...values.map(({ value }) => value));
  return `<dl class="bars">${values
    .map(
      ({ label, value, shown }) =>
        `<div><dt>${text(label)}</dt><dd>${value > 0 ? `<i style="width:calc((100% - 7rem) * ${(value / most).toFixed(4)})"></i>` : ''}<span>${text(shown)}</span></dd></div>`,
    )
    .join('\n')}</dl>`;
}

function grid(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string {
  const cell = (tag: string) => (value: string, at: number) =>
    `<${tag}${right.includes(at) ? ' class="n"' : ''}>${text(value)}</${tag}>`;
  return `<div class="wide"><table><thead><tr>${head.map(cell('th')).join('')}</tr></thead><tbody>${rows
    .map((row) => `<tr>${row.map(cell('td')).join('')}</tr>`)
    .join('\n')}</tbody></table></div>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text of the old system's, harmless in HTML text and attributes; control characters are shown as the sign for them. */
function text(raw: string): string {
  return raw
    .replace(/[&<>"']/g, (special) => ENTITIES[special] as string)
    .replace(/[^\P{Cc}\t\n]/gu, '\ufffd');
}

const STYLE = `
:root{color-scheme:light dark;--ground:#fff;--ink:#1b1f24;--quiet:#57606a;--line:#d0d7de;--card:#f6f8fa;--bar:#3b74b9;--error:#b3261e;--warning:#8a5a00;--good:#1a7f37;--share:#e3b341}
@media (prefers-color-scheme:dark){:root{--ground:#0f1318;--ink:#e6edf3;--quiet:#9aa4ae;--line:#30363d;--card:#171c23;--bar:#6ea8e8;--error:#ff8a80;--warning:#e3b341;--good:#56d364;--share:#b98b2e}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
header,main{max-width:60rem;margin:0 auto;padding:0 1rem}
header{padding-top:1.5rem}
h1{font-size:1.6rem;margin:0}
h2{font-size:1.2rem;margin:2.5rem 0 .5rem;border-bottom:1px solid var(--line);padding-bottom:.25rem}
h3{font-size:1rem;margin:0}
p{margin:.25rem 0 .75rem}
.quiet{color:var(--quiet);font-size:.9rem}
.totals{display:flex;flex-wrap:wrap;gap:.5rem;list-style:none;padding:0;margin:1rem 0 .5rem}
.totals li{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.4rem .9rem}
.totals b{font-size:1.3rem}
.totals .error b,.error .mark{color:var(--error)}
.totals .warning b,.warning .mark{color:var(--warning)}
.totals .good b{color:var(--good)}
article{background:var(--card);border:1px solid var(--line);border-left:.3rem solid var(--warning);border-radius:.5rem;padding:.75rem 1rem;margin:.75rem 0}
article.error{border-left-color:var(--error)}
article ul{margin:.5rem 0 0;padding-left:1.2rem}
article p{margin:.25rem 0}
.mark{font-size:.8rem;text-transform:uppercase;letter-spacing:.05em;margin-right:.35rem}
.next{color:var(--quiet)}
.share{height:.4rem;background:var(--line);border-radius:.2rem;overflow:hidden}
.share i{display:block;height:100%;background:var(--share)}
.error .share i{background:var(--error)}
code{font:.9em ui-monospace,monospace}
details{margin:.75rem 0}
summary{cursor:pointer}
ul.good{list-style:none;padding:0;margin:.5rem 0}
ul.good li{padding:.15rem 0}
ul.good li::before{content:"✓ ";color:var(--good)}
.bars{margin:.5rem 0;display:grid;gap:.35rem}
.bars>div{display:grid;grid-template-columns:minmax(8rem,16rem) 1fr;gap:.75rem;align-items:center}
.bars dt{text-align:right}
.bars dd{margin:0;display:flex;align-items:center;gap:.5rem}
.bars dd i{background:var(--bar);height:1.1rem;border-radius:0 .2rem .2rem 0;flex:none;min-width:1px}
.bars dd span{font-variant-numeric:tabular-nums;flex:none;white-space:nowrap}
.wide{overflow-x:auto}
table{border-collapse:collapse;font-size:.95rem}
th,td{text-align:left;padding:.3rem .9rem .3rem 0;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--quiet);font-weight:600}
.n{text-align:right;font-variant-numeric:tabular-nums}
main{padding-bottom:4rem}
@media (max-width:40rem){.bars>div{grid-template-columns:1fr;gap:0}.bars dt{text-align:left}h1{font-size:1.35rem}}
@media print{details{display:block}article{break-inside:avoid}}
`;
