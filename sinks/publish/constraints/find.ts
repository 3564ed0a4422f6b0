import type { ClientBase } from 'pg';
import { qualified } from '../../../src/db/quote.js';
import { isDataError, sqlstateOf } from '../../../src/db/server-error.js';
import { pathGate, TO_OUR_PATH } from '../../../src/db/users-path.js';

import { parentsFirst } from '../rows/order.js';
import { circleQuestions, exclusionQuestions, keyQuestions, takenQuestions } from './keys.js';
import { parentQuestions, type Question, rowQuestions } from './questions.js';
import { refusedTableSql, refuseSql } from './refused.js';
import { type Company, companyOf, firesBeforeKeys, isLoud, liveName, type Subject } from './subject.js';

export interface FindOptions {
  /** The batch's staging schema. */
  readonly staging: string;
  /** Tables of the batch that are not asked themselves: whose staging is to take live's place. */
  readonly others: readonly Company[];
  /** Whether exclusion constraints are asked, which takes as long as the publish would. */
  readonly exclusions: boolean;
  /** Called after the last question where rows were refused, in the transaction. */
  readonly last?: () => Promise<void>;
  readonly onQuestion?: (text: string) => void;
  /** The user's search_path, for CHECKs whose functions name things along it. */
  readonly usersPath?: string;
  /** A question that could not be asked beforehand: the publish will. */
  readonly onUnasked?: (text: string, why: string) => void;
}

/**
 * Moves every loaded row that would break a constraint of its live table out of staging, in one transaction; gives how
 * many there were. Where of several rows only one can be, the first one loaded stays. Parents are asked before their
 * children, and everything again where a row that went was a parent: no row stays that has none.
 *
 * What cannot be told from staging is left to the publish: conditions on values that a BEFORE trigger, a sequence or a
 * volatile function makes, keys to rows that triggers may write, and what the role may not read.
 */
export async function refuseBroken(
  client: ClientBase,
  subjects: readonly Subject[],
  options: FindOptions,
): Promise<number> {
  if (subjects.length === 0) return 0;
  const ordered = parentsFirst(
    subjects.map((subject) => ({ ...subject, live: subject.facts.live, mode: subject.facts.target.mode })),
  );
  const company = [...ordered.map(companyOf), ...options.others];
  const asking = new Asking(client, options);
  const parents = (subject: Subject) => {
    // What triggers write before the keys are checked is not known before the publish, and may be the very parent.
    const told = ordered.every((each) => (each === subject ? !firesBeforeKeys(each) : !isLoud(each)));
    return told ? asking.all(subject, parentQuestions(subject, company)) : Promise.resolve(0);
  };
  await client.query(
    [
      'BEGIN',
      'SET LOCAL row_security = off',
      'SET LOCAL statement_timeout = 0',
      refusedTableSql(options.staging),
    ].join('; '),
  );
  try {
    for (const subject of ordered) {
      await client.query(`ANALYZE ${subject.rows}`);
      await asking.all(subject, rowQuestions(subject));
      await parents(subject);
      const scratch = qualified(options.staging, `sluice_apart_${subject.at}`);
      await asking.all(subject, keyQuestions(subject));
      await asking.all(subject, circleQuestions(subject, qualified(options.staging, 'sluice_circle')));
      if (options.exclusions) await asking.all(subject, exclusionQuestions(subject, scratch));
    }
    // A row that went last may be the parent of one that was asked before it, or was to give a value up to it.
    for (let gone = asking.refused; gone > 0; ) {
      gone = 0;
      for (const subject of ordered)
        gone += (await parents(subject)) + (await asking.all(subject, takenQuestions(subject)));
    }
    if (asking.refused > 0) await options.last?.();
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
  return asking.refused;
}

/** Asks one question after the other, each so that its failure does no harm to the others. */
class Asking {
  refused = 0;

  constructor(
    private readonly client: ClientBase,
    private readonly options: FindOptions,
  ) {}

  async all(subject: Subject, questions: readonly Question[]): Promise<number> {
    let refused = 0;
    for (const question of questions) refused += await this.#ask(subject, question);
    this.refused += refused;
    return refused;
  }

  async #ask(subject: Subject, question: Question): Promise<number> {
    const { client, options } = this;
    const { badBehind } = question;
    const what = `${question.constraint ?? question.breach} of ${liveName(subject)}`;
    options.onQuestion?.(what);
    const { before = [], after = [] } = question;
    await client.query('SAVEPOINT sluice_question');
    try {
      for (const sql of before) await client.query(sql);
      const { rowCount } = await client.query(refuseSql(subject, question, options.staging));
      for (const sql of after) await client.query(sql);
      await client.query('RELEASE SAVEPOINT sluice_question');
      return rowCount ?? 0;
    } catch (error) {
      if (!isUnaskable(error)) throw error;
      await client.query('ROLLBACK TO SAVEPOINT sluice_question');
      if (badBehind !== undefined && options.usersPath !== undefined && isMissing(error)) {
        const gate = pathGate(options.usersPath);
        const refused = await this.#ask(subject, { ...withoutBehind(question), bad: badBehind(gate) });
        await client.query(TO_OUR_PATH);
        return refused;
      }
      options.onUnasked?.(what, (error as Error).message);
      return 0;
    }
  }
}

function withoutBehind({ badBehind: _, ...question }: Question): Question {
  return question;
}

/** Something that was named is not there, along the path that it was looked up by. */
function isMissing(error: unknown): boolean {
  return ['42883', '42P01', '42704', '3F000'].includes(sqlstateOf(error) ?? '');
}

/** An expression that fails for some row, or something that this role may not read: the publish will tell. */
function isUnaskable(error: unknown): boolean {
  return isDataError(error) || /^(0A|42)/.test(sqlstateOf(error) ?? '');
}
