/** How much of the server's CONTEXT is shown: a trigger that ends in a trigger may be deep. */
const CONTEXT_LINES = 6;
const CONTEXT_WIDTH = 200;

/**
 * Lines that say in which function, at which line, by which statement it happened, as the server's CONTEXT has it;
 * nothing of blocks of our own. Does not throw.
 */
export function contextOf(error: unknown): string[] {
  const { where = '' } = error as { where?: string };
  const lines = where.split('\n').filter((line) => line.trim() !== '' && !/\binline_code_block\b/.test(line));
  const cut = (line: string) => (line.length > CONTEXT_WIDTH ? `${line.slice(0, CONTEXT_WIDTH)}…` : line);
  const shown = lines.slice(0, CONTEXT_LINES).map(cut);
  if (lines.length > shown.length) shown.push(`… and ${lines.length - shown.length} more lines of context`);
  return shown.map((line, i) => (i === 0 ? `CONTEXT: ${line}` : line));
}
