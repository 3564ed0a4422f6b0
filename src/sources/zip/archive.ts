import { Readable } from 'node:stream';
import type * as yauzl from 'yauzl';
import { zipErrors } from '../../core/errors/catalogue/zip.js';
import { SluiceError } from '../../core/errors/sluice-error.js';
import type { InputBytes } from '../../core/input-bytes.js';
import { Crc32 } from './crc32.js';

/** Methods by which members are packed, as zip numbers them. */
const STORED = 0;
const DEFLATED = 8;

/** A zip archive that is open: its members by their names, each with the bytes that it was packed of. */
export class ZipArchive {
  private constructor(
    /** As messages name it. */
    readonly input: string,
    private readonly file: yauzl.ZipFile,
    private readonly entries: ReadonlyMap<string, yauzl.Entry>,
  ) {}

  /**
   * Reads the directory of the archive in `bytes`, which lie at places, by the package `library`. The caller closes it. Throws
   * failed `corrupt_zip`, and what reading the bytes throws.
   */
  static async open(
    input: string,
    { bytes, size }: { readonly bytes: InputBytes; readonly size: number },
    library: typeof yauzl,
    signal: AbortSignal,
  ): Promise<ZipArchive> {
    let failed: unknown;
    class Reader extends library.RandomAccessReader {
      override _readStreamForRange(start: number, end: number): Readable {
        const stream = Readable.from(copies(bytes.read(signal, start, end)), { objectMode: false });
        // What the package makes of it is told to nobody who knows the input.
        stream.once('error', (error) => {
          failed ??= error;
        });
        return stream;
      }
    }
    try {
      const file = await new Promise<yauzl.ZipFile>((resolve, reject) =>
        library.fromRandomAccessReader(
          new Reader(),
          size,
          { lazyEntries: true, autoClose: false, validateEntrySizes: true },
          (error, opened) => (error === null ? resolve(opened) : reject(error)),
        ),
      );
      return new ZipArchive(input, file, await entriesOf(file));
    } catch (error) {
      throw damaged(input, failed ?? error);
    }
  }

  has(member: string): boolean {
    return this.entries.has(member);
  }

  /**
   * The bytes of a member, which must be there; its checksum is compared at its end. Throws usage `zip_encrypted`,
   * `zip_method`, failed `corrupt_zip`.
   */
  async *read(member: string): AsyncGenerator<Buffer, void> {
    const entry = this.entries.get(member) as yauzl.Entry;
    const { input } = this;
    if (entry.isEncrypted()) throw zipErrors.zip_encrypted({ input, member });
    if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED)
      throw zipErrors.zip_method({ input, member, method: entry.compressionMethod });
    const crc = new Crc32();
    try {
      const stream = await new Promise<Readable>((resolve, reject) =>
        this.file.openReadStream(entry, (error, opened) =>
          error === null ? resolve(opened) : reject(error),
        ),
      );
      for await (const buffer of stream as AsyncIterable<Buffer>) {
        crc.update(buffer);
        yield buffer;
      }
    } catch (error) {
      throw damaged(input, error, member);
    }
    if (crc.value() !== entry.crc32 >>> 0)
      throw zipErrors.corrupt_zip({ input, member, why: 'its checksum is another one than the archive has' });
  }

  close(): void {
    this.file.close();
  }
}

function entriesOf(file: yauzl.ZipFile): Promise<Map<string, yauzl.Entry>> {
  const entries = new Map<string, yauzl.Entry>();
  return new Promise((resolve, reject) => {
    file.on('error', reject);
    file.on('end', () => resolve(entries));
    file.on('entry', (entry: yauzl.Entry) => {
      entries.set(entry.fileName, entry);
      file.readEntry();
    });
    file.readEntry();
  });
}

function damaged(input: string, error: unknown, member?: string): SluiceError {
  if (error instanceof SluiceError) return error;
  const why = error instanceof Error ? error.message : String(error);
  return zipErrors.corrupt_zip({ input, why, ...(member === undefined ? {} : { member }) }, { cause: error });
}

/** A Buffer of the input's is filled again while the stream still holds it. */
async function* copies(buffers: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  for await (const buffer of buffers) yield Buffer.from(buffer);
}
