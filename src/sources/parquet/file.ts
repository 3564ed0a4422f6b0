import type { AsyncBuffer, FileMetaData, SchemaElement } from 'hyparquet';
import { parquetErrors } from '../../core/errors/catalogue/parquet.js';
import { SluiceError } from '../../core/errors/sluice-error.js';
import type { InputBytes } from '../../core/input-bytes.js';
import { isRemote } from '../../core/input-url.js';
import type { Run } from '../../core/run.js';
import { displayName, openBytes } from '../bytes/open.js';
import { columnsOf, type ParquetColumn, withoutMeaning } from './columns.js';
import { CODECS, type ParquetPackage, parquetPackage, unpackers } from './package.js';

/** What stands at the end of a Parquet file, and of one whose footer is encrypted. */
const MAGIC = 'PAR1';
const ENCRYPTED = 'PARE';

/** Of an input elsewhere so many bytes are held: windows of one row group lie in the same pages, and asking again takes long. */
const KEPT_BYTES = 64 << 20;

/** Rows that stand together in a file. */
export interface RowGroup {
  /** The number (0-based) of its first row in the file. */
  readonly start: number;
  readonly rows: number;
}

/** A Parquet file that is open: its columns, and their values by the numbers of rows. */
export class ParquetFile {
  private constructor(
    /** As messages name it. */
    readonly input: string,
    readonly columns: readonly ParquetColumn[],
    readonly groups: readonly RowGroup[],
    readonly rows: number,
    private readonly metadata: FileMetaData,
    private readonly scan: Awaited<ReturnType<ParquetPackage['parquetScan']>>,
  ) {}

  /**
   * Reads the footer of the file at `path`. Throws usage `not_parquet` (stdin, another kind of file, an encrypted one),
   * `no_parquet_reader`, failed `corrupt_parquet`, and what `openBytes` throws.
   */
  static async open(path: string, run: Run): Promise<ParquetFile> {
    const input = displayName(path);
    const bytes = await openBytes(path, run);
    if (bytes?.size === undefined || !bytes.seekable || bytes.encoded)
      throw parquetErrors.not_parquet.notSeekable({ input });
    const { size } = bytes;
    const library = await parquetPackage(input);
    const slice = slices(bytes, size, run, isRemote(path) ? KEPT_BYTES : 0);
    const file: AsyncBuffer = { byteLength: size, slice };
    const end = size < 12 ? '' : Buffer.from(await slice(size - 4, size)).toString('latin1');
    if (end === ENCRYPTED) throw parquetErrors.not_parquet.encrypted({ input });
    if (end !== MAGIC) {
      const begin = size < 4 ? '' : Buffer.from(await slice(0, 4)).toString('latin1');
      throw begin === MAGIC
        ? parquetErrors.corrupt_parquet.cutOff({ input })
        : parquetErrors.not_parquet.other({ input });
    }
    try {
      const metadata = await library.parquetMetadataAsync(file, { geoparquet: false });
      const told = { ...metadata, schema: withoutMeaning(metadata.schema) as SchemaElement[] };
      const codecs = new Set(
        metadata.row_groups.flatMap(({ columns }) =>
          columns.flatMap((column) => column.meta_data?.codec ?? []),
        ),
      );
      const unread = [...codecs].find((codec) => !CODECS.has(codec));
      if (unread !== undefined) throw parquetErrors.parquet_codec({ input, codec: unread });
      const scan = await library.parquetScan({
        file,
        metadata: told,
        compressors: await unpackers(codecs),
        utf8: false,
        parsers: { timestampFromNanoseconds: (nanos) => nanos },
      });
      let start = 0;
      const groups = metadata.row_groups.map(({ num_rows }) => {
        const group = { start, rows: Number(num_rows) };
        start += group.rows;
        return group;
      });
      const columns = columnsOf(library.parquetSchema(metadata), input);
      return new ParquetFile(input, columns, groups, start, told, scan);
    } catch (error) {
      throw damaged(input, error);
    }
  }

  /** About how many bytes a row of this group has, unpacked, in these columns. */
  bytesPerRow(group: number, columns: ReadonlySet<string>): number {
    const { rows } = this.groups[group] as RowGroup;
    const sum = (this.metadata.row_groups[group]?.columns ?? []).reduce(
      (bytes, { meta_data }) =>
        columns.has(meta_data?.path_in_schema[0] ?? '')
          ? bytes + Number(meta_data?.total_uncompressed_size ?? 0)
          : bytes,
      0,
    );
    return Math.max(1, sum / Math.max(1, rows));
  }

  /** The values of `column` in rows from `start` to before `end`, all of one group, as they are stored. Throws failed `corrupt_parquet`. */
  async values(column: string, start: number, end: number): Promise<ArrayLike<unknown>> {
    try {
      const values = (await this.scan.readColumn({
        column,
        rowStart: start,
        rowEnd: end,
      })) as ArrayLike<unknown>;
      if (values.length !== end - start)
        throw new Error(`${values.length} values where there are ${end - start} rows`);
      return values;
    } catch (error) {
      throw damaged(this.input, error, { column, from: start + 1 });
    }
  }
}

function damaged(
  input: string,
  error: unknown,
  at: { readonly column?: string; readonly from?: number } = {},
): SluiceError {
  if (error instanceof SluiceError) return error;
  const why = error instanceof Error ? error.message : String(error);
  return parquetErrors.corrupt_parquet.inside({ input, why, ...at }, { cause: error });
}

/** Bytes by their places; up to `kept` of what was asked for last are held, for an input that takes long to ask. */
function slices(
  bytes: InputBytes,
  size: number,
  run: Run,
  kept: number,
): (start: number, end?: number) => Promise<ArrayBuffer> {
  const held = new Map<string, ArrayBuffer>();
  let sum = 0;
  return async (start, end = size) => {
    const key = `${start}-${end}`;
    const known = held.get(key);
    if (known !== undefined) return known;
    const whole = new Uint8Array(end - start);
    let at = 0;
    for await (const piece of bytes.read(run.signal, start, end)) {
      whole.set(piece.subarray(0, whole.length - at), at);
      at += piece.length;
    }
    if (at < whole.length) throw new Error(`it ends ${whole.length - at} bytes too early`);
    if (whole.length <= kept) {
      for (const [other, { byteLength }] of held) {
        if (sum + whole.length <= kept) break;
        held.delete(other);
        sum -= byteLength;
      }
      held.set(key, whole.buffer);
      sum += whole.length;
    }
    return whole.buffer;
  };
}
