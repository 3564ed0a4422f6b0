import {
  type Finding,
  ident,
  noun,
  plural,
  type Rejection,
  type Row,
  type Validation,
  type ValidationContext,
  validation,
  withRest,
} from 'sluice';
import { sentences } from 'sluice/transforms';
import type { Layout } from './layout.js';
import { INPUTS, type InputName, RECORD_TYPES, type RecordType, tableColumns } from './record-types.js';

/** Rows of live that are read together. */
const PAGE = 20_000;
/** Rows that are named; the others are counted. */
const NAMED = 20;
/** The date of the record that a row refers to, beside the row's own columns. */
const BORN = 'its parent was born';

/** Rows that break a rule. */
interface Broken {
  count: number;
  readonly named: string[];
}

/**
 * The rules of the record types, asked of what was published: before, every row was asked as it was read. Rows that
 * are as the batch wrote them and break a rule are errors (a trigger of the application may change what is written);
 * the system's other rows, of other batches or changed by the application since, are warnings.
 */
export function rulesAreKept(layout: Layout): Validation {
  return validation('rules', 'every row keeps the rules of its record type', async (context) => {
    const findings: Finding[] = [];
    if (!context.published) return findings;
    for (const input of INPUTS) {
      const { asWritten, since } = await brokenRows(context, layout, input);
      if (asWritten.count > 0)
        findings.push({
          severity: 'error',
          message: `${told(asWritten.count, input)}, as the batch wrote ${noun(asWritten.count, 'it', 'them')}`,
          details: details(asWritten),
        });
      if (since.count > 0)
        findings.push({
          severity: 'warning',
          message: `${told(since.count, input)}, written by somebody else since, or by another batch`,
          details: details(since),
        });
    }
    return findings;
  });
}

const told = (count: number, input: InputName) =>
  `${plural(count, 'row')} of ${input} ${noun(count, 'breaks', 'break')} the rules of ${noun(count, 'its', 'their')} record type`;

const details = ({ count, named }: Broken) => withRest(named, count);

/** A row as it is asked about: its id and whether this batch has written it, beside its columns. */
type Asked = Row & { readonly 'its id': string; readonly 'as written': boolean };

async function brokenRows(context: ValidationContext, layout: Layout, input: InputName) {
  const { database, staged, settings, signal } = context;
  const { type, validate, notBefore, references } = RECORD_TYPES[input];
  const asWritten: Broken = { count: 0, named: [] };
  const since: Broken = { count: 0, named: [] };
  const ours = filledColumns(context, layout, input);
  if (ours.length === 0) return { asWritten, since };
  const theirs = (column: string) => `s.${ident(layout.theirs(input, column))}`;
  const text = await columnsAsText(context, layout, input, 's');
  const selected = ours.map((column) => `${text(column)} AS ${ident(column)}`);
  let [written, from] = [context.asWritten(input, 's'), `${staged(input)} s`];
  const [parent] = references;
  const date = parent === undefined ? undefined : RECORD_TYPES[parent.to].date;
  if (parent !== undefined && notBefore !== undefined && date !== undefined) {
    const born = await columnsAsText(context, layout, parent.to, 'p');
    selected.push(`${born(date)} AS ${ident(BORN)}`);
    from += ` LEFT JOIN ${staged(parent.to)} p ON p.${ident(layout.theirs(parent.to, 'id'))} = ${theirs(parent.column)}`;
    written += ` AND (${context.asWritten(parent.to, 'p')}) IS NOT FALSE`;
  }
  let after: string | null = null;
  for (;;) {
    signal.throwIfAborted();
    const page: readonly Asked[] = await database.query(
      `SELECT ${theirs('id')}::text AS "its id", ${written} AS "as written", ${selected.join(', ')}
       FROM ${from}
       WHERE ${theirs('source_system')} = $1 AND ($2::bigint IS NULL OR ${theirs('id')} > $2)
       ORDER BY ${theirs('id')} LIMIT ${PAGE}`,
      [settings.system, after],
    );
    for (const { 'its id': id, 'as written': byBatch, [BORN]: born, ...row } of page) {
      after = id;
      const found = [...validate(row), ...early(RECORD_TYPES[input], row, born)];
      if (found.length === 0) continue;
      const broken = byBatch === true ? asWritten : since;
      broken.count++;
      if (broken.named.length < NAMED)
        broken.named.push(`${type} ${row.source_id} (id ${id}): ${sentences(found)}`);
    }
    if (page.length < PAGE) return { asWritten, since };
  }
}

/** Our names of the columns that the mappings in force fill: what people have typed into the others is theirs. */
function filledColumns({ mappings }: ValidationContext, layout: Layout, input: InputName): readonly string[] {
  const filled = mappings
    .filter(({ recordType }) => recordType === RECORD_TYPES[input].type)
    .flatMap((mapping) => layout.inOurs(mapping).targetField.split('+'));
  if (filled.length === 0) return [];
  const apart = ['id', 'source_system'];
  return tableColumns(input, filled).filter((column) => !apart.includes(column));
}

/** That a record is from before its pet's birth. */
function early({ notBefore }: RecordType, row: Row, born: unknown): readonly Rejection[] {
  if (notBefore === undefined || typeof born !== 'string') return [];
  const date = row[notBefore.column];
  if (typeof date !== 'string' || date >= born) return [];
  return [{ reason: notBefore.reason, message: `${notBefore.what} (${date}) is before the birth (${born})` }];
}

/** Columns of a table, by our names, as the import writes them, whatever types the practice has given them. */
async function columnsAsText(context: ValidationContext, layout: Layout, input: InputName, alias: string) {
  const columns = await context.tableColumns(input);
  return (column: string): string => {
    const theirs = layout.theirs(input, column);
    const type = columns.find(({ name }) => name === theirs)?.type ?? '';
    const sql = `${alias}.${ident(theirs)}`;
    if (/^(?:numeric|money|real|double)/.test(type)) return `trim_scale(${sql}::numeric)::text`;
    if (type.startsWith('timestamp'))
      return `to_char(${sql}, '${column === 'scheduled_at' ? 'YYYY-MM-DD HH24:MI:SS' : 'YYYY-MM-DD'}')`;
    return `${sql}::text`;
  };
}
