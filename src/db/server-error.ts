/** What pg's DatabaseError tells, of which every field may be missing. */
export interface ServerError extends Error {
  readonly code?: string;
  readonly where?: string;
  readonly column?: string;
  readonly constraint?: string;
  readonly detail?: string;
  readonly hint?: string;
  /** Where in the statement, in code points from 1 on, as digits. */
  readonly position?: string;
  /** The function of the server's that has raised it. */
  readonly routine?: string;
}

/** SQLSTATE classes of errors that one row's data can cause: another row may pass. */
const DATA_CLASSES = new Set(['21', '22', '23', '38', '44', '54', 'P0']);

/** Whether the server refused a row, and not the statement, the session or the load as a whole. */
export function isDataError(error: unknown): error is ServerError {
  const sqlstate = sqlstateOf(error);
  return sqlstate !== undefined && DATA_CLASSES.has(sqlstate.slice(0, 2));
}

/** The SQLSTATE of an error that the server sent, or undefined for any other error. */
export function sqlstateOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && isServerError(error) ? code : undefined;
}

/** Whether the server has sent it. EPIPE has five capitals as well; only a message of the server's has a severity. */
export function isServerError(error: unknown): error is ServerError {
  return typeof (error as { severity?: unknown } | null | undefined)?.severity === 'string';
}

// What pg says when the socket closes under a query, or nothing comes over it in time (pg/lib/client.js, pg-pool); it has no code.
const CLOSED =
  /^Connection terminated|is not queryable$|^Query read timeout$|^timeout exceeded when trying to connect$/;

/** What sockets fail with (errno(3)); files have codes of their own. */
const NETWORK = new Set(
  'ECONNRESET ECONNABORTED ECONNREFUSED EPIPE ETIMEDOUT ENOTCONN EHOSTUNREACH EHOSTDOWN ENETUNREACH ENETDOWN ENETRESET EADDRNOTAVAIL'.split(
    ' ',
  ),
);

function isNetworkError({ code, syscall }: NodeJS.ErrnoException): boolean {
  return syscall !== undefined && (/^(connect|getaddrinfo)$/.test(syscall) || NETWORK.has(code ?? ''));
}

/** Whether a file or folder of this machine failed. */
export function isFileError(error: unknown): boolean {
  return (
    error instanceof Error && (error as NodeJS.ErrnoException).syscall !== undefined && !isNetworkError(error)
  );
}

/** Whether `error` means that the session is gone: no answer at all, or a farewell of the server's. */
export function isConnectionLoss(error: unknown): boolean {
  const sqlstate = sqlstateOf(error);
  if (sqlstate === undefined) {
    return error instanceof Error && (CLOSED.test(error.message) || isNetworkError(error));
  }
  return /^(?:08|57P)/.test(sqlstate) || sqlstate === '25P03';
}
