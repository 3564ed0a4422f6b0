import { pipelineErrors } from '../src/core/errors/catalogue/pipelines.js';
import { stageErrors } from '../src/core/errors/catalogue/stages.js';
import { plural } from '../src/core/plural.js';
import { type AnyRow, CHUNK_ROWS, type Row, type Rows } from '../src/core/row.js';
import type { Run } from '../src/core/run.js';
import { named, type Stage, together } from '../src/core/types.js';
import { withinOf } from './key.js';
import { Numbering, type RenumberOptions, type Sequence } from './numbering.js';
import { Spill } from './spill.js';

export type { RenumberOptions } from './numbering.js';

/** So many groups are named in a refusal; the others are counted. */
const NAMED_GROUPS = 20;

/**
 * Numbers the rows of each group one after the other: `as` = prefix + number. Works on consecutive groups:
 * a group that comes again later starts at the beginning again, so sort first (a unique column finds it
 * out at the latest in staging). Throws `sequence_overflow` (refused), `renumber_order` when a row with a
 * number of its own comes after that number was given away, `stage_failed` for an exception in an option's
 * function, and the usage error `bad_setting` for another word than refuse or widen.
 */
export function renumber<R extends AnyRow = Row, const As extends string = string>(
  options: RenumberOptions<R, As>,
): Stage<R, R & Readonly<Record<As, string>>> {
  type Out = R & Readonly<Record<As, string>>;
  const name = `renumber(${options.as})`;
  const numbering = new Numbering(options, name);
  const stage = named(name, async function* (rows: Rows<R>, run: Run): AsyncGenerator<Out[]> {
    const widen = overflowOf(options, run) === 'widen';
    const steps = widen
      ? widened(rows, run, numbering, options.memoryRows ?? 20_000)
      : refusing(rows, run, numbering);
    yield* steps as AsyncGenerator<Out[]>;
  });
  return together(Object.assign(stage, withinOf(options.within, { keeps: true, sets: [options.as] })));
}

function overflowOf(options: { readonly overflow?: 'refuse' | 'widen' }, run: Run): 'refuse' | 'widen' {
  const word = options.overflow ?? run.settings.overflow ?? 'refuse';
  if (word === 'refuse' || word === 'widen') return word;
  throw pipelineErrors.bad_setting.overflow({ value: word });
}

/** Numbers as the rows come; from the first overflow on it only counts, since nothing will be published. */
async function* refusing<R extends AnyRow = Row>(
  rows: Rows<R>,
  run: Run,
  numbering: Numbering<R>,
): AsyncGenerator<R[]> {
  const largest = 10 ** numbering.width - 1;
  const offenders: string[] = [];
  let groups = 0;
  let sequence: Sequence<R> | undefined;
  let previous: R | undefined;
  const close = () => {
    // Numbers that rows hold already may be longer: only those given here count.
    if (sequence?.given === undefined || sequence.largest <= largest) return;
    groups++;
    if (groups > NAMED_GROUPS) return;
    offenders.push(
      `${numbering.describe(sequence.example)}: ${plural(sequence.rows, 'row')}, up to ${sequence.largest}`,
    );
  };
  for await (const chunk of rows) {
    const out: R[] = [];
    for (const row of chunk) {
      if (previous === undefined || sequence === undefined || !numbering.same(previous, row)) {
        close();
        sequence = numbering.open(row);
      }
      previous = row;
      const number = numbering.number(row, sequence, run);
      if (groups === 0 && number <= largest) out.push(numbering.apply(row, number, numbering.width));
    }
    if (out.length > 0) yield out;
  }
  close();
  if (groups === 0) return;
  const known = {
    details: groups > offenders.length ? [...offenders, `and ${groups - offenders.length} more`] : offenders,
  };
  const { width } = numbering;
  const { sequence_overflow } = stageErrors;
  throw groups === 1
    ? sequence_overflow.one({ width, largest }, known)
    : sequence_overflow.several({ groups, width, largest }, known);
}

/** Holds each group until its size is known; a large one goes to disk. */
async function* widened<R extends AnyRow = Row>(
  rows: Rows<R>,
  run: Run,
  numbering: Numbering<R>,
  memoryRows: number,
): AsyncGenerator<R[]> {
  let sequence: Sequence<R> | undefined;
  let previous: R | undefined;
  let held: R[] = [];
  let numbers: number[] = [];
  let file: Spill<R> | undefined;
  let out: R[] = [];

  const apply = (group: readonly R[], from: number, width: number) => {
    for (let i = 0; i < group.length; i++) {
      out.push(numbering.apply(group[i] as R, numbers[from + i] as number, width));
    }
  };
  async function* close(of: Sequence<R>): AsyncGenerator<R[]> {
    const width = Math.max(numbering.width, String(of.largest).length);
    if (file !== undefined) {
      let from = 0;
      for await (const part of file.read()) {
        apply(part, from, width);
        from += part.length;
        if (out.length >= CHUNK_ROWS) yield take();
      }
      await file.dispose();
      file = undefined;
    }
    apply(held, numbers.length - held.length, width);
    held = [];
    numbers = [];
    if (out.length >= CHUNK_ROWS) yield take();
  }
  const take = () => {
    const full = out;
    out = [];
    return full;
  };

  try {
    for await (const chunk of rows) {
      for (const row of chunk) {
        if (previous === undefined || sequence === undefined || !numbering.same(previous, row)) {
          if (sequence !== undefined) yield* close(sequence);
          sequence = numbering.open(row);
        }
        previous = row;
        numbers.push(numbering.number(row, sequence, run));
        held.push(row);
        if (held.length >= memoryRows) {
          file ??= await Spill.create<R>(run.scratch);
          await file.write(held);
          held = [];
        }
      }
    }
    if (sequence !== undefined) yield* close(sequence);
    if (out.length > 0) yield out;
  } finally {
    await file?.dispose();
  }
}
