import type { Run } from 'sluice';
import type { FieldProblem } from 'sluice/transforms';

interface Noted {
  count: number;
  readonly field: string;
  readonly reason: string;
  readonly value: string;
  readonly line: number;
}

/** Values of one input that were read in one way and could be read in another: counted, with the first of each. */
export class ValueNotes {
  /** What is wrong with the record at hand; emptied by `at`. */
  readonly problems: FieldProblem[] = [];
  readonly #noted = new Map<string, Noted>();
  #line = 0;

  constructor(readonly input: string) {}

  /** A record begins that stands on this line; where its problems go. */
  at(line: number): FieldProblem[] {
    this.#line = line;
    if (this.problems.length > 0) this.problems.length = 0;
    return this.problems;
  }

  note(field: string, reason: string, value: string): void {
    const key = `${reason} ${field}`;
    const noted = this.#noted.get(key);
    if (noted !== undefined) noted.count++;
    else this.#noted.set(key, { count: 1, field, reason, value: String(value), line: this.#line });
  }

  /** Leaves a report where there was something to note. */
  report(run: Run): void {
    if (this.#noted.size === 0) return;
    const rows = [...this.#noted.values()].map(({ field, reason, count, value, line }) => [
      field,
      reason.replaceAll('_', ' '),
      String(count),
      `${value} (line ${line})`,
    ]);
    run.report({
      name: `ambiguous values of ${this.input}`,
      columns: ['field', 'what', 'rows', 'first'],
      rows,
      more: 0,
      summary: [
        'read by the first format of its mapping that fits, and another would have read them otherwise',
      ],
    });
  }
}
