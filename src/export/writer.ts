/** Where bytes of a file go. */
export interface ByteSink {
  /** Takes the bytes over; resolves when more may come. */
  write(bytes: Uint8Array): Promise<void>;
}

/** One file of a format in the making: pieces of COPY's text in, bytes out. */
export interface FileWriter {
  /** A piece of whole lines, valid until the promise is resolved. */
  write(piece: Buffer): Promise<void>;
  /** Everything that was written has gone to the sink. */
  end(): Promise<void>;
}

/** Begins a file of these columns. */
export type BeginFile = (out: ByteSink) => Promise<FileWriter>;
