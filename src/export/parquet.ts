import type { FieldDef } from 'pg';
import { exportErrors } from '../core/errors/catalogue/export.js';
import { rowParser } from '../sources/postgres/rows.js';
import { type ParquetColumn, parquetColumn } from './parquet-types.js';
import type { BeginFile } from './writer.js';

/** A row group is written when it holds so many rows, or so many bytes of text. */
const GROUP_ROWS = 100_000;
const GROUP_BYTES = 32 << 20;

/** How many bytes of a file wait in memory before they are handed on. */
const BUFFER_BYTES = 1 << 20;

/**
 * Parquet files, written by hyparquet-writer, a row group after the other. Types that Parquet has are kept exactly
 * (numbers, decimals of up to 38 digits, dates, timestamps to the microsecond, booleans, uuid, bytea); everything else is
 * the text that PostgreSQL gives. Throws usage `no_parquet` where the package is not installed; a file throws failed
 * `not_for_parquet` at a value that its type does not have there (infinity).
 */
export async function parquetFiles(fields: readonly FieldDef[]): Promise<BeginFile> {
  const { ByteWriter, ParquetWriter } = await import('hyparquet-writer').catch((error: Error) => {
    throw exportErrors.no_parquet({ cause: error });
  });
  const columns = fields.map(parquetColumn);
  const parse = rowParser(fields.map(({ name }) => name));
  return async (out) => {
    const bytes = new ByteWriter(BUFFER_BYTES);
    const file = new ParquetWriter({
      writer: bytes,
      schema: [{ name: 'rows', num_children: columns.length }, ...columns.map(({ element }) => element)],
      createdBy: 'sluice',
    });
    let group: unknown[][] = columns.map(() => []);
    let rows = 0;
    let held = 0;
    const handOn = async () => {
      await out.write(bytes.getBytes().slice());
      bytes.index = 0;
    };
    const flush = async () => {
      if (rows === 0) return;
      await file.write({
        columnData: columns.map(({ element }, at) => ({ name: element.name, data: group[at] as unknown[] })),
        rowGroupSize: rows,
      });
      group = columns.map(() => []);
      rows = 0;
      held = 0;
      await handOn();
    };
    return {
      async write(piece) {
        const parsed = parse(piece, 1);
        for (const row of parsed)
          for (let at = 0; at < columns.length; at++) {
            const column = columns[at] as ParquetColumn;
            const text = row[column.element.name] as string | null;
            group[at]?.push(text === null ? undefined : column.value(text));
          }
        rows += parsed.length;
        held += piece.length;
        if (rows >= GROUP_ROWS || held >= GROUP_BYTES) await flush();
      },
      async end() {
        await flush();
        await file.finish();
        await handOn();
      },
    };
  };
}
