import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from './measure.js';
import { installed } from './measure.js';

/** A step of a script as a DBA would write it: a statement, or a file copied into a table. */
export type Step = string | { readonly into: string; readonly file: string };

const hasPsql = installed('psql');

/**
 * Runs the steps in one session: by psql, or, where it is not installed, by a Node process that pipes the
 * raw file into COPY.
 */
export function script(steps: readonly Step[], url: string, folder: string, name: string): Command {
  if (!hasPsql) {
    const file = join(folder, `${name}.json`);
    writeFileSync(file, JSON.stringify(steps));
    const runner = fileURLToPath(new URL('./script-runner.js', import.meta.url));
    return { program: process.execPath, args: [runner, url, file], cwd: folder };
  }
  const file = join(folder, `${name}.sql`);
  const text = steps.map((step) =>
    typeof step === 'string'
      ? `${step};\n`
      : `\\copy ${step.into} FROM '${step.file}' WITH (FORMAT csv, HEADER)\n`,
  );
  writeFileSync(file, text.join(''));
  return { program: 'psql', args: ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', url, '-f', file], cwd: folder };
}
