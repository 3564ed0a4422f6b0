import { shellWord } from '../core/command.js';
import { formatList } from '../core/list.js';
import { originOf, type Row, type Rows } from '../core/row.js';
import type { Run } from '../core/run.js';
import { named, type Stage, stateless } from '../core/types.js';
import { rowMaker } from '../sources/csv/rows.js';

/** How rows are brought into the table's shape. */
export interface Shape {
  /** Name in the row → column of the table. */
  readonly pairs: ReadonlyMap<string, string>;
  /** Other names that a row may have; their values are left out. */
  readonly skipped: readonly string[];
  /** Columns of the table of type json or jsonb, where the rows' text is a value and not JSON text. */
  readonly json?: ReadonlySet<string>;
}

/**
 * A stage that gives every row exactly the table's columns; one that it lacks is null. A row with a value
 * under a name that is neither loaded nor skipped is a reject (`unknown_column`): dropping the value would
 * lose it without a word.
 */
export function toShape({ pairs, skipped, json }: Shape): Stage {
  const fields = [...pairs].map(([from, to]) => ({ from, text: json?.has(to) === true }));
  const maker = rowMaker([...pairs.values()]);
  const known = new Set([...pairs.keys(), ...skipped]);
  const stage = named('columns', async function* (rows: Rows, run: Run): AsyncGenerator<Row[]> {
    // All that were met, so that whoever follows the advice need not come back for the next.
    const strangers = new Set<string>();
    for await (const chunk of rows) {
      const out: Row[] = [];
      for (const row of chunk) {
        const stranger = strangerIn(row, known);
        if (stranger !== undefined) {
          for (const name in row) if (hasStranger(row, name, known)) strangers.add(name);
          run.reject(row, {
            reason: 'unknown_column',
            column: stranger,
            value: row[stranger],
            expected: `a column that the first rows have (load it: --columns ${shellWord(formatList([...pairs.keys(), ...strangers]))}; leave it out: --skip-columns ${shellWord(formatList([...skipped, ...strangers]))})`,
          });
          continue;
        }
        const values = fields.map(({ from, text }) => {
          // `constructor` is a property of every object, and no column of a row that lacks it.
          const value = from in Object.prototype && !Object.hasOwn(row, from) ? null : (row[from] ?? null);
          return text && typeof value === 'string' ? JSON.stringify(value) : value;
        });
        out.push(maker.fromValues(values, originOf(row) as number));
      }
      if (out.length > 0) yield out;
    }
  });
  return stateless(stage);
}

const hasStranger = (row: Row, name: string, known: ReadonlySet<string>) =>
  !known.has(name) && row[name] !== null && row[name] !== undefined;

function strangerIn(row: Row, known: ReadonlySet<string>): string | undefined {
  for (const name in row) if (hasStranger(row, name, known)) return name;
  return undefined;
}
