import type { Client } from 'pg';
import { formFor } from '../../sinks/files/csv-form.js';
import type { ExportFormat } from '../../sinks/files/format.js';
import { assertFree, type FileNames, fileNames, namesApart } from '../../sinks/files/names.js';
import { OutFile } from '../../sinks/files/out-file.js';
import { assertPacks, packingOf } from '../../sinks/files/packing.js';
import { untilAborted } from '../core/until-aborted.js';
import { backendOf } from '../db/backend.js';
import type { PgDatabase } from '../db/connect.js';
import { driverClient } from '../db/driver.js';
import { cutOff } from '../db/network.js';
import { isRowSecurity, rowSecurityError } from '../db/row-security.js';
import { usersDatabase } from '../db/users-database.js';
import { CopyOut } from '../sources/postgres/copy-out.js';
import { fieldsOf, queryError } from '../sources/postgres/describe.js';
import { filesOf } from './formats.js';
import { relationToExport } from './relations.js';
import { type ExportRequest, settledFormat } from './request.js';
import { copyOutSql, type Selected, selectSql } from './statement.js';
import type { BeginFile, FileWriter } from './writer.js';

/** What an export is done with. */
export interface ExportPlace {
  readonly database: PgDatabase;
  readonly signal: AbortSignal;
  /** Takes bytes where no file is named; resolves to false where nobody reads them any more. */
  stdout(bytes: Uint8Array): Promise<boolean>;
  /** Rows that have come so far, of how many, where that is known. */
  progress?(rows: number, of: number | undefined): void;
  /** A sentence worth showing. */
  note?(text: string): void;
}

/** One of the files that an export has made. */
interface ExportedFile {
  /** null: stdout. */
  readonly path: string | null;
  readonly table: string | null;
  readonly rows: number;
  /** Before packing. */
  readonly bytes: number;
}

export interface Exported {
  readonly format: ExportFormat;
  readonly files: readonly ExportedFile[];
  /** Whoever read stdout went away before the end. */
  readonly unread: boolean;
}

/** What one table or query is read by. */
interface Part {
  readonly name: string;
  readonly table: string | null;
  readonly selected: Selected;
  readonly names: FileNames | undefined;
  readonly estimatedRows: number | undefined;
}

/**
 * Writes tables or a query's rows to files or stdout, all of one snapshot, by COPY; the database is only read, and nothing
 * is noted there. Files have their names when all of them are whole: where anything fails there is none. Throws usage
 * `export_options`, `export_exists`, `no_such_table`, `unknown_column`, `query_refused`, refused `row_security` where a
 * policy would hide rows, failed `query_failed`, `cannot_write`.
 */
export async function exportRows(request: ExportRequest, place: ExportPlace): Promise<Exported> {
  const format = settledFormat(request);
  assertPacks(request.into === undefined ? request.packing : packingOf(request.into));
  const parts = await partsOf(request, format, place);
  const numbered = request.rowsPerFile !== undefined;
  const names = parts.flatMap((part) => part.names ?? []);
  namesApart(names, request.into ?? '');
  if (!request.overwrite) assertFree(names, numbered);
  const client = await untilAborted(
    driverClient(usersDatabase(place.database).connect('export')),
    place.signal,
    (late) => late.end(),
  );
  // What is under way reports a lost connection itself.
  client.on('error', () => {});
  const made: OutFile[] = [];
  const files: ExportedFile[] = [];
  let unread = false;
  try {
    await client.query(BEGIN);
    for (const part of parts) {
      const exported = await exportPart(client, part, format, request, place, made);
      files.push(...exported.files);
      unread ||= exported.unread;
      if (unread) break;
    }
    for (const file of made) await file.keep();
  } catch (error) {
    await Promise.all(made.map((file) => file.discard()));
    throw await explained(error, place.database);
  } finally {
    await client.end().catch(() => {});
  }
  return { format, files, unread };
}

/** One snapshot for all; text that loses nothing, whatever the role's settings are. */
const BEGIN = ['BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', "SET LOCAL TimeZone = 'UTC'"].join('; ');

async function partsOf(request: ExportRequest, format: ExportFormat, place: ExportPlace): Promise<Part[]> {
  const { tables, query, columns, into, rowsPerFile } = request;
  const names = (what: string) =>
    into === undefined ? undefined : fileNames(into, what, format, rowsPerFile !== undefined);
  if (query !== undefined)
    return [
      { name: 'query', table: null, selected: { query }, names: names('query'), estimatedRows: undefined },
    ];
  const parts: Part[] = [];
  for (const wanted of tables) {
    const relation = await relationToExport(place.database, wanted, columns);
    if (relation.generated.length > 0)
      place.note?.(
        `${relation.name}: left out, since they are generated from others: ${relation.generated.join(', ')} (--columns names them)`,
      );
    parts.push({
      name: relation.name,
      table: relation.name,
      selected: relation,
      names: names(relation.name),
      estimatedRows: relation.estimatedRows,
    });
  }
  return parts;
}

async function exportPart(
  client: Client,
  part: Part,
  format: ExportFormat,
  request: ExportRequest,
  place: ExportPlace,
  made: OutFile[],
): Promise<{ readonly files: readonly ExportedFile[]; readonly unread: boolean }> {
  const { signal } = place;
  const { name, selected, names } = part;
  const fields = await untilAborted(fieldsOf(client, name, selectSql(selected)), signal);
  const csv = withNull(request, format, fields.length, place);
  const begin = await filesOf(format, fields, csv);
  const sql = copyOutSql(selected, format, csv);
  const perFile = request.rowsPerFile ?? Number.POSITIVE_INFINITY;
  const copy = new CopyOut(client, sql, perFile);
  const files: ExportedFile[] = [];
  let open: Opened | undefined;
  const close = async (rows: number) => {
    if (open === undefined) return;
    const { path, bytes } = await open.close();
    files.push({ path, table: part.table, rows, bytes });
    open = undefined;
  };
  let whole = false;
  try {
    for (;;) {
      const piece = await untilAborted(copy.next(), signal).catch((error) => {
        throw signal.aborted
          ? error
          : queryError(error, name, selectSql(selected), sql.indexOf(selectSql(selected)));
      });
      if (piece === undefined) break;
      open ??= await openFile(names?.path(files.length + 1), begin, request, place, made);
      await open.writer.write(piece);
      if (open.unread()) return { files, unread: true };
      place.progress?.(copy.rows, part.estimatedRows);
      if (copy.atCut) await close(perFile);
    }
    whole = true;
    // Of a table without rows there is a file, too.
    if (open === undefined && files.length === 0)
      open = await openFile(names?.path(1), begin, request, place, made);
    await close(copy.rows - files.length * (Number.isFinite(perFile) ? perFile : 0));
    return { files, unread: false };
  } finally {
    if (!whole) stop(client, place.database);
  }
}

/** The form of CSV of so many columns; where that is not the one asked for, it is said. */
function withNull({ csv }: ExportRequest, format: ExportFormat, columns: number, { note }: ExportPlace) {
  if (format !== 'csv') return csv;
  const form = formFor(csv, columns);
  if (form !== csv)
    note?.(
      "there is one column, and an empty line would be no row: NULL is written \\N (to be read by --null '\\N')",
    );
  return form;
}

interface Opened {
  readonly writer: FileWriter;
  unread(): boolean;
  close(): Promise<{ readonly path: string | null; readonly bytes: number }>;
}

/** Opens a file, or stdout where it has no path. */
async function openFile(
  path: string | undefined,
  begin: BeginFile,
  request: ExportRequest,
  place: ExportPlace,
  made: OutFile[],
): Promise<Opened> {
  if (path !== undefined) {
    const file = await OutFile.open(path);
    made.push(file);
    const writer = await begin(file);
    return {
      writer,
      unread: () => false,
      async close() {
        await writer.end();
        await file.end();
        return { path, bytes: file.bytes };
      },
    };
  }
  const { packed } = await import('./packed.js');
  let bytes = 0;
  let read = true;
  const out = packed(request.packing, async (some) => {
    read = read && (await place.stdout(some));
  });
  const writer = await begin({
    write(some) {
      bytes += some.length;
      return out.write(some);
    },
  });
  return {
    writer,
    unread: () => !read,
    async close() {
      await writer.end();
      await out.end();
      return { path: null, bytes };
    },
  };
}

/** Nobody reads the rest: the server is asked to stop sending it, and the session ended whatever it does. */
function stop(client: Client, database: PgDatabase): void {
  const pid = backendOf(client)?.pid;
  if (pid !== undefined) database.query('SELECT pg_cancel_backend($1)', [pid]).catch(() => {});
  cutOff(client);
}

/** `error`; where a policy would have hidden rows, which, and what to do. */
async function explained(error: unknown, database: PgDatabase): Promise<unknown> {
  const said = (error as { facts?: { cause?: unknown } }).facts?.cause ?? error;
  return isRowSecurity(said) ? rowSecurityError(said, (...asked) => database.query(...asked)) : error;
}
