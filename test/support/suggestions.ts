import { spawnSync } from 'node:child_process';

/** The words that a shell makes of commands' lines, each without the program's name and the file that its output goes to. */
export function wordsOf(...lines: readonly string[]): string[][] {
  const script = lines.map((line) => line.replace(/ > [\w.-]+$/, '')).join('\n');
  const { stdout, stderr, status } = spawnSync(
    'bash',
    ['--norc', '--noprofile', '-c', `sluice() { printf '%s\\0' "$#" "$@"; }\n${script}`],
    {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8' },
      // With a socket as its stdin bash would take itself for a login from elsewhere.
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  if (status !== 0 || stderr !== '') throw new Error(`no command of a shell: ${script}\n${stderr}`);
  const said = stdout.split('\0');
  return lines.map(() => said.splice(0, 1 + Number(said[0])).slice(1));
}

/**
 * The commands that `text` suggests, each up to what is said behind it: in brackets or in a column of its own, which
 * two blanks part from it, or a dot between commands.
 */
export function suggestedIn(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const at = line.search(/(?<![\w./-])sluice (?!stop\b)[a-z]/);
    if (at < 0 || /^sluice: /.test(line)) return [];
    return [upToBlanks(line.slice(at))];
  });
}

/** `text` up to two blanks outside quotes. */
function upToBlanks(text: string): string {
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === "'") quoted = !quoted;
    else if (!quoted && text.startsWith('  ', at)) return text.slice(0, at);
  }
  return text;
}
