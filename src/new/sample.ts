import { sampleFiles } from '../copy/sample.js';
import { newErrors } from '../core/errors/catalogue/new.js';
import type { Run } from '../core/run.js';
import { fileSource } from '../sources/file.js';
import { plainName } from './names.js';

/** A column of a sample: its name in the file and in the table, and the type that gives back every value. */
export interface SampleColumn {
  readonly header: string;
  readonly name: string;
  /** As SQL has it: `integer`, `timestamptz`. */
  readonly type: string;
}

/** What a sample file says of the rows to come. */
export interface Sample {
  readonly columns: readonly SampleColumn[];
  /** The first column whose values are all there and all different; undefined where there is none. */
  readonly key: string | undefined;
  readonly rows: number;
  /** Where fields are not separated by commas. */
  readonly delimiter: string | undefined;
}

/**
 * Looks at the CSV file at `path`: the types are those that `copy --create` proposes. Throws what reading throws,
 * usage `sample_has_no_rows`, and usage errors for names that no column can have.
 */
export async function lookAt(path: string, run: Run): Promise<Sample> {
  const delimiter = await delimiterOf(path, run);
  const reading = { format: 'csv', ...(delimiter === undefined ? {} : { delimiter }) } as const;
  const seen = new Map<string, Set<unknown> | undefined>();
  let rows = 0;
  for await (const chunk of fileSource(path, reading).read(run))
    for (const row of chunk) {
      rows++;
      for (const [header, value] of Object.entries(row)) {
        const values = rows === 1 ? new Set<unknown>() : seen.get(header);
        const differs = values !== undefined && value !== null && value !== '' && !values.has(value);
        seen.set(header, differs ? values.add(value) : undefined);
      }
    }
  if (rows === 0) throw newErrors.sample_has_no_rows({ path });
  const names = columnNames([...seen.keys()]);
  const map = Object.fromEntries(names);
  const { columns } = await sampleFiles({ files: [path], into: 'sample', map, ...reading }, run, {
    iso: true,
    utc: true,
  });
  const typeOf = new Map(columns.map(({ name, type }) => [name, type]));
  const unique = [...seen].find(([, values]) => values !== undefined)?.[0];
  return {
    columns: [...names].map(([header, name]) => ({ header, name, type: typeOf.get(name) ?? 'text' })),
    key: unique === undefined ? undefined : names.get(unique),
    rows,
    delimiter,
  };
}

/** What stands between fields; the usual first. */
const DELIMITERS = [',', ';', '\t', '|'] as const;

/** The delimiter by which the header has the most columns; undefined for commas. Throws what reading throws by all of them. */
async function delimiterOf(path: string, run: Run): Promise<string | undefined> {
  let best: { readonly delimiter: string; readonly columns: number } | undefined;
  let first: { readonly error: unknown } | undefined;
  for (const delimiter of DELIMITERS)
    try {
      const columns = await columnsBy(path, delimiter, run);
      if (columns > (best?.columns ?? 0)) best = { delimiter, columns };
    } catch (error) {
      // A quoted name reads wrong by a delimiter that it does not stand between.
      first ??= { error };
    }
  if (best === undefined && first !== undefined) throw first.error;
  return best === undefined || best.delimiter === ',' ? undefined : best.delimiter;
}

async function columnsBy(path: string, delimiter: string, run: Run): Promise<number> {
  for await (const [row] of fileSource(path, { format: 'csv', delimiter }).read(run))
    return Object.keys(row ?? {}).length;
  return 0;
}

/** A name for each header that needs no quotes in SQL: `Order ID` is order_id. */
function columnNames(headers: readonly string[]): Map<string, string> {
  const names = new Map<string, string>();
  const taken = new Set<string>();
  for (const [at, header] of headers.entries()) {
    const base = plainName(header, `column_${at + 1}`);
    let name = base;
    for (let n = 2; taken.has(name); n++) name = `${base}_${n}`;
    taken.add(name);
    names.set(header, name);
  }
  return names;
}
