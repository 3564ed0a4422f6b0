import { nearest, refused, usage } from '../../core/errors.js';
import { again, type Next } from '../../core/next.js';

export interface HeaderOptions {
  /**
   * With a header: the columns that must be there (after `map`); others are read as well. Without one:
   * the names of the fields, in order.
   */
  readonly columns?: readonly string[];
  /**
   * Renames columns: `{ 'name in the file': 'name in the rows' }`; or a function that gives this once the
   * header is read, which is also how to learn the header of an input that can be read only once.
   */
  readonly map?:
    | Readonly<Record<string, string>>
    | ((names: readonly string[]) => Readonly<Record<string, string>>);
}

/**
 * The names of the rows' columns for the header `names` of the file `input`.
 * Throws refused `duplicate_column`, `empty_column_name`; usage `missing_column`, `unknown_column`.
 */
export function resolveHeader(names: readonly string[], options: HeaderOptions, input: string): string[] {
  const nameless = names.flatMap((name, i) => (name === '' ? [i + 1] : []));
  if (nameless.length > 0) {
    throw refused(
      'empty_column_name',
      `${input}: column ${nameless.slice(0, 10).join(', ')} of the header has no name`,
      {
        input,
        line: 1,
        details: [`the header: ${list(names)}`],
        next: 'name every column in the header, or give the names (columns, without a header)',
      },
    );
  }
  refuseDuplicates(names, input, 'correct the header so that every column has a name of its own');
  const given = typeof options.map === 'function' ? options.map(names) : (options.map ?? {});
  const map = new Map(Object.entries(given));
  const known = new Set(names);
  for (const from of map.keys()) {
    if (!known.has(from)) {
      throw missing(
        'unknown_column',
        from,
        names,
        input,
        `correct the name in map: it has no column ${from}`,
      );
    }
  }
  const columns = names.map((name) => map.get(name) ?? name);
  refuseDuplicates(columns, input, 'correct map: two columns would have one name');
  const resulting = new Set(columns);
  for (const wanted of options.columns ?? []) {
    if (resulting.has(wanted)) continue;
    const close = nearest(wanted, names);
    throw missing(
      'missing_column',
      wanted,
      names,
      input,
      close === undefined
        ? `if it is there under another name: call it ${wanted} in the header`
        : again(
            { flags: { map: [`${close}=${wanted}`] } },
            {
              lead: 'if it is there under another name',
              otherwise: `if ${JSON.stringify(close)} is meant: call it ${wanted} in the header`,
            },
          ),
    );
  }
  return columns;
}

/** The columns of a file without a header. Throws usage `no_columns`, refused `duplicate_column`. */
export function givenColumns(options: HeaderOptions, input: string): string[] {
  if (options.columns === undefined || options.columns.length === 0) {
    throw usage('no_columns', `${input} is to be read without a header, but its columns are not given`, {
      input,
      next: 'name the fields in their order: columns (--columns a,b,c)',
    });
  }
  return resolveHeader(options.columns, options.map === undefined ? {} : { map: options.map }, input);
}

function refuseDuplicates(names: readonly string[], input: string, next: string): void {
  const seen = new Map<string, number>();
  for (const [i, name] of names.entries()) {
    const before = seen.get(name);
    if (before !== undefined) {
      throw refused(
        'duplicate_column',
        `${input}: the name ${JSON.stringify(name)} stands twice in the header, columns ${before + 1} and ${i + 1}`,
        { input, line: 1, column: name, next },
      );
    }
    seen.set(name, i);
  }
}

function missing(code: string, wanted: string, names: readonly string[], input: string, next: Next) {
  const close = nearest(wanted, names);
  return usage(
    code,
    `${input} has no column ${JSON.stringify(wanted)}${close === undefined ? '' : `; did you mean ${JSON.stringify(close)}?`}`,
    { input, column: wanted, details: [`its columns: ${list(names)}`], next },
  );
}

const list = (names: readonly string[]) =>
  names.length <= 50 ? names.join(', ') : `${names.slice(0, 50).join(', ')}, … (${names.length} in all)`;
