import { refused, usage } from '../core/errors.js';
import { again } from '../core/next.js';
import type { Row } from '../core/row.js';
import { TypeTally } from '../run/propose-table.js';
import { fileSource, formatFor } from '../sources/file.js';
import { displayName } from '../sources/opening.js';
import { STDIN, statInput } from '../sources/raw.js';
import { fileOptions } from './file-options.js';
import { type CopyRequest, formatList } from './request.js';
import { type Surroundings, silentRun } from './silent-run.js';

/** Rows of each file that types are taken from. */
const SAMPLED_ROWS = 10_000;

/** The columns that a table for these files would have. */
export interface Sample {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly sampled: number;
}

/**
 * Reads the first rows of every file and finds a type for each column that is not skipped; its name is the
 * one that --map gives, else the file's in lower case, as SQL folds a name that is not quoted. Throws usage
 * `read_once`, `column_twice`; refused `no_rows`; what reading throws.
 */
export async function sampleColumns(request: CopyRequest, around: Surroundings): Promise<Sample> {
  const tallies = new Map<string, TypeTally>();
  let sampled = 0;
  for (const path of request.files) sampled += await sampleFile(path, request, around, tallies);
  if (tallies.size === 0)
    throw refused('no_rows', 'the input has no row: there is nothing to propose a table from', {
      state: 'nothing was written',
      next: again({ drop: ['create'] }, { lead: 'create the table yourself, then' }),
    });
  const from = new Map<string, string>();
  const columns = [...tallies].map(([name, tally]) => {
    const to = nameIn(request, name);
    const other = from.get(to);
    if (other !== undefined)
      throw usage('column_twice', `both "${other}" and "${name}" would be the column "${to}"`, {
        column: to,
        next: [
          'give one of them another name (--map)',
          again(
            { flags: { skipColumns: formatList([...(request.skip ?? []), name]) } },
            { lead: 'or leave one out' },
          ),
        ],
      });
    from.set(to, name);
    return { name: to, type: tally.type() };
  });
  return { columns, sampled };
}

function nameIn({ map = {} }: CopyRequest, name: string): string {
  return Object.hasOwn(map, name) ? (map[name] as string) : name.trim().toLowerCase();
}

async function sampleFile(
  path: string,
  request: CopyRequest,
  around: Surroundings,
  tallies: Map<string, TypeTally>,
): Promise<number> {
  if (path === STDIN || !(await statInput(path)).isFile())
    throw usage('read_once', `--create reads ${displayName(path)} twice: for the types, and for the rows`, {
      input: path,
      state: 'nothing was written',
      next: [
        'save it to a file, and copy that',
        again({ drop: ['create'] }, { lead: 'or create the table yourself, then' }),
      ],
    });
  const skipped = new Set(request.skip ?? []);
  const tally = (name: string) => {
    const known = tallies.get(name);
    if (known !== undefined || skipped.has(name)) return known;
    const made = new TypeTally();
    tallies.set(name, made);
    return made;
  };
  const format = formatFor(path, request);
  const isJson = format === 'json' || format === 'jsonl';
  const options = fileOptions(path, request);
  const source = fileSource(
    path,
    isJson
      ? options
      : {
          ...options,
          map: (names) => {
            for (const name of names) tally(name);
            return {};
          },
        },
  );
  if (isJson) for (const name of request.columns ?? []) tally(name);
  let rows = 0;
  for await (const chunk of source.read(silentRun(around))) {
    for (const row of chunk.slice(0, SAMPLED_ROWS - rows)) addRow(row, tally);
    rows = Math.min(SAMPLED_ROWS, rows + chunk.length);
    if (rows === SAMPLED_ROWS) break;
  }
  return rows;
}

function addRow(row: Row, tally: (name: string) => TypeTally | undefined): void {
  for (const name of Object.keys(row)) tally(name)?.add(row[name]);
}
