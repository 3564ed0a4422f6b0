import { type Reasons, sum, tallyAll } from '../core/accounting.js';
import { again } from '../core/next.js';
import type { Finding, Validation, ValidationContext } from '../core/pipeline.js';
import { validation } from '../core/pipeline.js';
import { plural, withRest } from '../core/plural.js';
import { ident } from './quote.js';

/** Keys that are asked for together. */
const PAGE = 20_000;
/** Lost keys that a finding names. */
const NAMED = 20;

/** What is to be all there. */
export interface NothingLost {
  /** kebab-case, as that of any validation. */
  readonly name: string;
  readonly summary: string;
  /** What messages call one of them, and several: `supplier task instance`, `supplier task instances`. */
  readonly one: string;
  readonly several?: string;
  readonly input: string;
  /** The column of the input that tells them apart: text, a whole number or a UUID. Rows that have none there are none. */
  readonly key: string;
  /** The pipeline's table that they end in, and its column with that key. Default: the same. */
  readonly table: string;
  readonly column?: string;
  /** Rows may lack a key (a LOT without serials): of those that were set aside some may be such. */
  readonly keyless?: boolean;
  /** Reasons of rows that were set aside which are no news (they are in the new system already): not told. */
  readonly expected?: readonly string[];
}

/**
 * A validation that every row of an input is staged, and no other: the source is asked for their keys once more,
 * independently of the flow that loaded them. What the load has rejected or skipped is not there, and is told as that:
 * a warning that names it. Anything else that is missing is lost, and refuses. Where the source cannot be asked again
 * (stdin), only what was set aside is told; so of a published batch, which it vouches for at the publish only.
 */
export function nothingLost(of: NothingLost): Validation {
  const asked = validation(of.name, of.summary, async (context) => {
    const { read, unread } = context.setAside(of.input);
    const aside = tallyAll({}, read, unread);
    const keys = context.keysOf(of.input, of.key);
    if (keys === undefined) return setAside(of, aside, []);
    const staged = await fingerprint(context, of);
    const source = { rows: 0n, hash: 0n };
    for await (const page of pages(keys)) {
      const [found] = await context.database.query<{ hash: string }>(
        'SELECT coalesce(sum(hashtextextended(k, 0)), 0)::text AS hash FROM unnest($1::text[]) k',
        [page.map(staged.canonical)],
      );
      source.rows += BigInt(page.length);
      source.hash += BigInt(found?.hash ?? 0);
    }
    if (source.rows === staged.rows && source.hash === staged.hash) return setAside(of, aside, []);
    const missing = await missingKeys(context, of, staged.canonical);
    // A key that occurs twice in the source is there once, and rejected once.
    const fewer = source.rows - staged.rows;
    const expected = BigInt(sum(read));
    const isSetAside = of.keyless === true ? fewer >= 0n && fewer <= expected : fewer === expected;
    if (isSetAside && BigInt(missing.count) <= expected) return setAside(of, aside, missing.named);
    const { one, several } = of;
    if (missing.count === 0)
      return [
        {
          severity: 'error',
          message: `the old system has ${plural(Number(source.rows), one, several)}, the new one would have ${staged.rows}${expected === 0n ? '' : `, and ${expected} were set aside`}`,
          next: AGAIN,
        },
      ];
    const why = expected === 0n ? '' : `; of these ${expected} were set aside (${told(aside)})`;
    return [
      {
        severity: 'error',
        message: `${plural(missing.count, one, several)} ${missing.count === 1 ? 'is' : 'are'} lost${why}`,
        details: missing.named,
        next: AGAIN,
      },
    ];
  });
  return { ...asked, atPublishOnly: true };
}

const AGAIN = again({}, { lead: 'the source may have changed while it was read; then' });

function setAside(
  { one, several, expected = [] }: NothingLost,
  all: Reasons,
  missing: readonly string[],
): Finding[] {
  const aside = Object.fromEntries(Object.entries(all).filter(([reason]) => !expected.includes(reason)));
  const rows = sum(aside);
  if (rows === 0) return [];
  // Which of them are no news only the load knows.
  const named = rows === sum(all) ? missing : [];
  return [
    {
      severity: 'warning',
      message: `${plural(rows, one, several)} of the old system ${rows === 1 ? 'was' : 'were'} set aside and ${rows === 1 ? 'is' : 'are'} not in the new one: ${told(aside)}`,
      ...(named.length === 0 ? {} : { details: named }),
    },
  ];
}

const told = (aside: Reasons) =>
  Object.entries(aside)
    .map(([reason, rows]) => `${reason} ${rows}`)
    .join(', ');

interface Staged {
  readonly rows: bigint;
  /** The sum of the hashes of the keys' texts. */
  readonly hash: bigint;
  /** A key's text in the source, as the column writes it. */
  readonly canonical: (key: string) => string;
}

const columnOf = ({ column, key }: NothingLost) => ident(column ?? key);

async function fingerprint(context: ValidationContext, of: NothingLost): Promise<Staged> {
  const table = context.staged(of.table);
  const [found] = await context.database.query<{ n: string; hash: string; type: string }>(
    `SELECT count(*) AS n, coalesce(sum(hashtextextended(s.${columnOf(of)}::text, 0)), 0)::text AS hash,
            (SELECT a.atttypid::regtype::text FROM pg_attribute a WHERE a.attrelid = $1::regclass AND a.attname = $2) AS type
     FROM ${table} s`,
    [table, of.column ?? of.key],
  );
  const { n, hash, type } = found as { n: string; hash: string; type: string };
  return { rows: BigInt(n), hash: BigInt(hash), canonical: WRITTEN[type] ?? ((key) => key) };
}

const integer = (key: string) => {
  const digits = key.trim();
  // A document may have 7.0 for 7.
  return /^[+-]?\d{1,40}(\.0{1,20})?$/.test(digits) ? String(BigInt(digits.split('.')[0] as string)) : key;
};

/** How the server writes what a file may write otherwise. */
const WRITTEN: Readonly<Record<string, (key: string) => string>> = {
  smallint: integer,
  integer,
  bigint: integer,
  uuid: (key) => key.replace(/[{}]/g, '').toLowerCase(),
};

async function missingKeys(context: ValidationContext, of: NothingLost, canonical: Staged['canonical']) {
  const named: string[] = [];
  let count = 0;
  for await (const page of pages(context.keysOf(of.input, of.key) ?? [])) {
    const rows = await context.database.query<{ key: string }>(
      `SELECT DISTINCT k AS key FROM unnest($1::text[]) k
       WHERE NOT EXISTS (SELECT FROM ${context.staged(of.table)} s WHERE s.${columnOf(of)}::text = k) ORDER BY 1`,
      [page.map(canonical)],
    );
    count += rows.length;
    for (const { key } of rows) if (named.length < NAMED) named.push(key);
  }
  return { count, named: withRest(named, count) };
}

/** The same keys, so many at a time that asking is worth it. */
async function* pages(
  keys: AsyncIterable<readonly string[]> | Iterable<readonly string[]>,
): AsyncIterable<readonly string[]> {
  let page: string[] = [];
  for await (const some of keys) {
    page.push(...some);
    if (page.length < PAGE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
