import { copyErrors } from '../core/errors/catalogue/copy.js';
import { fillingErrors } from '../core/errors/catalogue/filling.js';
import { isError } from '../core/errors/is-error.js';
import { shownUrl } from '../core/input-url.js';
import { formatList } from '../core/list.js';
import { again } from '../core/next.js';
import type { NewTable, Pipeline } from '../core/pipeline.js';
import { findsByKey } from '../core/publish-mode.js';
import type { Stage } from '../core/types.js';
import { readColumns } from '../db/catalog/columns.js';
import { primaryKey } from '../db/catalog/primary-key.js';
import { tableText } from '../db/table-name.js';
import { futureColumns } from '../run/changes/missing-tables.js';
import { resolveTables } from '../run/given/tables.js';
import { isRejectColumn } from '../run/resubmit/reject-columns.js';
import {
  deletedFrom,
  isNumbered,
  isRejects,
  recognised,
  rejectsGiven,
} from '../run/resubmit/rejects-given.js';
import { displayName, openBytes, STDIN } from '../sources/bytes/open.js';
import { asWritten } from './as-written.js';
import { newTable, type Proposal } from './create.js';
import { fileOptions } from './file-options.js';
import { type Head, readHead } from './head.js';
import { type Matching, matchColumns } from './match.js';
import type { MatchedTable } from './match-options.js';
import type { ReadAs } from './own-text.js';
import { type CopyInput, type CopyTarget, copyPipeline, nameOf } from './pipeline.js';
import { type CopyRequest, copyCommand } from './request.js';
import { schemaStage } from './schema-file.js';
import { toShape } from './shape.js';
import { type Surroundings, silentRun } from './silent-run.js';

/** A copy that is ready to be run as a pipeline. */
export interface PreparedCopy {
  readonly pipeline: Pipeline;
  /** How to do it again; what `runPipeline` is given as `from`. */
  readonly from: string;
  /** Closes inputs that have been begun. Call it when the run is over, however it ended. */
  release(): Promise<void>;
}

/** What the setting `types` of a batch is whose table `--create` has made: its values must not be changed by them. */
export const PROPOSED = 'proposed';

/** The table that is copied into, as it is or as it will be once the run has created it. */
export interface DestinationTable extends MatchedTable {
  readonly schema: string;
  readonly table: string;
  /** How it is created, where it is not there yet. */
  readonly made?: NewTable;
}

/**
 * Finds the table, reads the first rows of every file, matches the columns and makes the pipeline. Nothing is
 * written. With `proposal`, the table is not there, and the pipeline knows how to make it.
 *
 * Throws usage errors for whatever the command says that does not fit (see `matchColumns`), and what reading
 * the files throws.
 */
export async function prepareCopy(
  request: CopyRequest,
  around: Surroundings,
  proposal?: Proposal,
): Promise<PreparedCopy> {
  assertFiles(request);
  // Before the table: that it can be made is no advice where there is nothing to make it of.
  for (const path of request.files) await openBytes(path, silentRun(around));
  const check = request.schema === undefined ? [] : [await schemaStage(request.schema)];
  const table = await destination(request, around, proposal);
  const target = { ...table, mode: request.mode ?? 'append', key: await keyOf(request, table, around) };
  const heads: Head[] = [];
  const release = async () => {
    for (const head of heads) await head.release();
  };
  try {
    const inputs: CopyInput[] = [];
    let columns: readonly string[] | undefined;
    let renamed: string[] = [];
    for (const path of request.files) {
      const { head, matching, stages } = await matchedInput(path, request, target, check, around);
      heads.push(head);
      columns ??= matching.columns;
      assertSame(columns, matching.columns, request.files[0] as string, path);
      renamed = [...matching.pairs]
        .filter(([from, to]) => from.trim().toLowerCase() !== to.toLowerCase())
        .map(([from, to]) => `${from} as ${to}`);
      inputs.push({ source: head.source, stages });
    }
    const into: CopyTarget = {
      into: tableText(table),
      mode: target.mode,
      key: target.key,
      columns: columns ?? [],
      omit: target.mode === 'replace' ? (request.omit ?? []) : [],
    };
    const notes: Record<string, string> = {
      ...(renamed.length === 0 ? {} : { renamed: formatList(renamed) }),
      ...(request.proposed === true ? { types: PROPOSED } : {}),
    };
    return {
      pipeline: copyPipeline(inputs, into, { notes, made: table.made }),
      from: copyCommand(request),
      release,
    };
  } catch (error) {
    await release();
    throw error;
  }
}

interface Matched {
  readonly head: Head;
  readonly matching: Matching;
  readonly stages: readonly Stage[];
}

async function matchedInput(
  path: string,
  request: CopyRequest,
  table: MatchedTable & { readonly mode: CopyTarget['mode']; readonly key: readonly string[] },
  check: readonly Stage[],
  around: Surroundings,
): Promise<Matched> {
  const exact = (pairs: ReadonlyMap<string, string>, as: ReadAs) =>
    request.proposed === true ? [asWritten(pairs, table.columns, as)] : [];
  const input = displayName(path);
  // A table that has such a column is one of rejects, and they are rows like any other.
  const kept = isRejects(table.columns.map(({ name }) => name));
  let matching: Matching | undefined;
  let misfit: unknown;
  let rejects = false;
  const rename = (all: readonly string[], header: readonly string[] | undefined) => {
    rejects = isRejects(all) && !kept;
    const own = (_: string, i: number) => !rejects || !isRejectColumn(all[i] as string);
    const names = all.filter(own);
    const { skip, ...rest } = request;
    const skipped = rejects ? skip?.filter((name) => !isRejectColumn(name)) : skip;
    try {
      matching = matchColumns(input, names, table, {
        ...rest,
        ...(skipped === undefined ? {} : { skip: skipped }),
        mode: table.mode,
        key: table.key,
        ...(header === undefined ? {} : { cells: header.filter(own) }),
        headerless: header !== undefined && request.columns !== undefined,
        open: header === undefined,
      });
    } catch (error) {
      // Rejects of a batch fit by what that was told: that they are its rejects is to be said first.
      if (!rejects) throw error;
      misfit = error;
      return {};
    }
    // A schema sees the file's own names.
    return check.length > 0 ? {} : renames(matching, names);
  };
  const begun = await readHead(path, await fileOptions(path, request), around, rename);
  const head = rejects
    ? await ofRejects(begun, path, table, around)
    : kept
      ? { ...begun, source: { ...begun.source, columns: begun.columns } }
      : begun;
  try {
    if (misfit !== undefined) throw misfit;
    const found = matching as unknown as Matching;
    assertNoHeader(input, head, found, request, check.length > 0);
    if (!head.json) {
      const own = new Map(found.columns.map((name) => [name, name]));
      if (check.length === 0) return { head, matching: found, stages: exact(own, 'text') };
      return { head, matching: found, stages: [...check, ...exact(found.pairs, 'text'), toShape(found)] };
    }
    const open = request.columns === undefined && table.mode === 'append';
    const complete = open ? withLaterColumns(found, table) : found;
    const json = table.columns
      .filter(({ base }) => base === 'json' || base === 'jsonb')
      .map(({ name }) => name);
    const shape = toShape({ ...complete, json: new Set(json) });
    return { head, matching: complete, stages: [...check, ...exact(complete.pairs, 'json'), shape] };
  } catch (error) {
    await head.release();
    throw error;
  }
}

/** The beginning of a file of rejects, which is read as what was corrected in it; throws as `recognised` does. */
async function ofRejects(
  head: Head,
  path: string,
  { name, mode }: { readonly name: string; readonly mode: CopyTarget['mode'] },
  { database }: Surroundings,
): Promise<Head> {
  const [first] = head.rows;
  if (first !== undefined && isNumbered(first)) {
    await head.release();
    throw await rejectsGiven(first, displayName(path), nameOf(name), { database });
  }
  return { ...head, source: recognised(head.source, nameOf(name), deletedFrom([{ mode, table: name }])) };
}

/** The new names of a CSV file's columns; skipped ones must not stand in the way of those that are loaded. */
export function renames(matching: Matching, names: readonly string[]): Record<string, string> {
  const made: [string, string][] = [];
  const filled = new Set(matching.columns);
  for (const name of names) {
    const to = matching.pairs.get(name);
    if (to !== undefined && to !== name) made.push([name, to]);
    else if (to === undefined && filled.has(name)) made.push([name, `${name} (skipped)`]);
  }
  return Object.fromEntries(made);
}

/**
 * JSON rows may leave keys out, and the first rows may all do so. Where a missing key and NULL are the same
 * to the table, its column is filled too, for the rows that do have it.
 */
function withLaterColumns(matching: Matching, table: MatchedTable): Matching {
  const pairs = new Map(matching.pairs);
  const taken = new Set([...matching.columns, ...matching.pairs.keys(), ...matching.skipped]);
  for (const column of table.columns) {
    const empty =
      !column.notNull &&
      !column.hasDefault &&
      column.identity === undefined &&
      column.generated === undefined;
    if (empty && !taken.has(column.name)) pairs.set(column.name, column.name);
  }
  return { ...matching, pairs, columns: [...pairs.values()] };
}

/**
 * The table that a request names; with `proposal` as that makes it. Throws a usage error where there is none, and
 * `create_failed` where it cannot be made.
 */
export async function destination(
  request: CopyRequest,
  { database }: Surroundings,
  proposal?: Proposal,
): Promise<DestinationTable> {
  if (proposal !== undefined) {
    const { schema, table } = proposal;
    const made = newTable(proposal);
    const columns = await futureColumns(database, proposal, made);
    return { schema, table, name: `${schema}.${table}`, columns, made };
  }
  const [live] = await resolveTables(database, [
    ['table', { kind: 'table', table: request.into, mode: request.mode ?? 'append' }],
  ]).catch((error: unknown) => {
    throw creatable(error, request);
  });
  const { schema, table } = live as { schema: string; table: string };
  const columns = await readColumns(database, schema, table);
  return { schema, table, name: `${schema}.${table}`, columns };
}

/** Where a table is missing: that it can be created, if this copy could. */
function creatable(error: unknown, { files, mode }: CopyRequest): unknown {
  if (!isError(error, 'no_such_table')) return error;
  // What is read twice cannot be stdin, and patch needs rows that are there.
  if (mode === 'patch' || files.includes(STDIN)) return error;
  const create = again({ flags: { create: true } }, { lead: 'or create it', note: 'it is shown first' });
  return error.but({ next: [...[error.facts.next ?? []].flat(), create] });
}

/** The key that was given, else the primary key; none where the mode finds no rows. */
async function keyOf(
  request: CopyRequest,
  table: DestinationTable,
  { database }: Surroundings,
): Promise<readonly string[]> {
  if (request.mode === undefined || !findsByKey(request.mode)) return [];
  if (request.key !== undefined) return request.key;
  const primary = await primaryKey(database, table);
  if (primary.length > 0) return primary;
  throw fillingErrors.no_key.primary({ table: table.name, mode: request.mode });
}

function assertFiles({ files }: CopyRequest): void {
  const twice = files.find((path, at) => files.indexOf(path) !== at);
  if (twice !== undefined) throw copyErrors.file_twice({ path: shownUrl(twice), shown: displayName(twice) });
}

function assertSame(
  first: readonly string[],
  other: readonly string[],
  firstPath: string,
  path: string,
): void {
  const lacks = first.filter((name) => !other.includes(name));
  const more = other.filter((name) => !first.includes(name));
  if (lacks.length + more.length === 0) return;
  throw copyErrors.files_differ(
    { path, shown: displayName(path), first: displayName(firstPath) },
    {
      details: [
        ...(lacks.length === 0 ? [] : [`it lacks ${lacks.join(', ')}`]),
        ...(more.length === 0 ? [] : [`it has besides ${more.join(', ')}`]),
      ],
    },
  );
}

/**
 * --columns says that there is no header; a first line that holds one of the names where it would be, or that of
 * the table's column, says otherwise. Throws usage `has_header`.
 */
function assertNoHeader(
  input: string,
  { columns, json, rows }: Head,
  { pairs }: Matching,
  request: CopyRequest,
  ownNames: boolean,
): void {
  const [first] = rows;
  if (json || request.columns === undefined || request.header !== undefined || first === undefined) return;
  const same = columns.filter((name) => {
    const to = pairs.get(name);
    const value = first[ownNames ? name : (to ?? name)];
    const text = typeof value === 'string' ? value.trim().toLowerCase() : '';
    return text !== '' && (text === name.toLowerCase() || text === to?.toLowerCase());
  });
  if (same.length === 0) return;
  throw same.length === columns.length
    ? copyErrors.has_header.all({ input })
    : copyErrors.has_header.some({ input, name: same[0] as string });
}
