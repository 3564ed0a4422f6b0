import type { Change } from './command.js';
import { formatList } from './list.js';
import { again } from './next.js';
import { type Check, type CheckContext, check, type Finding, type Setting } from './pipeline.js';
import { noun } from './plural.js';

/** The setting by which a command says which columns of the old system it does without. */
export const leaveBehind: Setting = {
  summary:
    'columns of the old system that are not carried over on purpose, as input.column, with commas between',
  default: '',
};

/** The columns that the setting `leave_behind` names. */
export function leftBehind(settings: Readonly<Record<string, string>>): readonly string[] {
  return names(settings.leave_behind ?? '');
}

/** The command that was given, with `columns` left behind besides what it leaves behind already. */
export function leavingBehind(
  settings: Readonly<Record<string, string>>,
  columns: readonly string[],
): Change {
  return { flags: { set: [`leave_behind=${formatList([...leftBehind(settings), ...columns])}`] } };
}

/**
 * A check that every column of the inputs is one that the pipeline declares, for pipelines that carry an old system over:
 * what they do not know would be lost with it. It refuses, naming them, but for those that the setting `leave_behind`
 * (see `leaveBehind`) names: of these it warns. `carried`: columns of an input that are carried over besides, where the
 * database decides which.
 */
export function nothingLeftBehind(
  inputs: readonly string[],
  carried: (input: string, context: CheckContext) => Promise<readonly string[]> = async () => [],
): Check {
  return check(
    'nothing-left-behind',
    'the old system has no column that would not be carried over',
    async (context) => {
      const accepted = leftBehind(context.settings);
      const found: string[] = [];
      for (const input of inputs) {
        const known = await carried(input, context);
        for (const column of await context.columnsBeside(input))
          if (!known.includes(column)) found.push(`${input}.${column}`);
      }
      const lost = found.filter((name) => !accepted.includes(name));
      const left = found.filter((name) => accepted.includes(name));
      const findings: Finding[] = [];
      if (lost.length > 0)
        findings.push({
          severity: 'error',
          message: `${noun(lost.length, 'a column', `${lost.length} columns`)} of the old system ${noun(lost.length, 'is', 'are')} not carried over: ${lost.join(', ')}`,
          next: again(leavingBehind(context.settings, lost), {
            lead: `to do without ${noun(lost.length, 'it', 'them')}`,
          }),
        });
      if (left.length > 0)
        findings.push({ severity: 'warning', message: `left behind, as was asked for: ${left.join(', ')}` });
      return findings;
    },
  );
}

/** The names of a list as `formatList` writes it. */
function names(list: string): string[] {
  return (list.match(/"(?:[^"]|"")*"|[^,]+/g) ?? []).map((name) =>
    name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.trim(),
  );
}
