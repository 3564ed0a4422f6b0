const QUOTED = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\$(?:[A-Za-z_]\w*)?\$/y;
const ESCAPED = /[eE]'(?:[^'\\]|\\.|'')*'/sy;
const WORD = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y;

/**
 * The words of `sql` that stand in no brackets, quotes or comments, in lower case. For choosing what to ask the server: it
 * alone knows what a statement means.
 */
export function topWords(sql: string): string[] {
  const words: string[] = [];
  let depth = 0;
  for (let at = 0; at < sql.length; ) {
    const match = (pattern: RegExp) => {
      pattern.lastIndex = at;
      return pattern.exec(sql)?.[0];
    };
    const quoted = match(ESCAPED) ?? match(QUOTED);
    if (quoted?.startsWith('$') === true) {
      const end = sql.indexOf(quoted, at + quoted.length);
      at = end < 0 ? sql.length : end + quoted.length;
    } else if (quoted !== undefined) at += quoted.length;
    else if (sql.startsWith('/*', at)) at = commentEnd(sql, at);
    else {
      const word = match(WORD);
      if (word !== undefined && depth === 0) words.push(word.toLowerCase());
      if (sql[at] === '(') depth++;
      else if (sql[at] === ')') depth--;
      at += word?.length ?? 1;
    }
  }
  return words;
}

/** Comments of SQL may hold comments. */
function commentEnd(sql: string, from: number): number {
  let depth = 0;
  for (let at = from; at < sql.length; ) {
    const two = sql.slice(at, at + 2);
    if (two === '/*') depth++;
    else if (two === '*/' && --depth === 0) return at + 2;
    at += two === '/*' || two === '*/' ? 2 : 1;
  }
  return sql.length;
}
