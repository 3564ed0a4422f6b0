import { ident } from '../../src/db/quote.js';
import type { Ended } from '../support/cli.js';
import { suggestedIn, wordsOf } from '../support/suggestions.js';
import type { Case, Place } from './place.js';
import { type Scenario, SYSTEM } from './scenarios.js';
import type { Arm } from './wire.js';

/** What an undisturbed run of a scenario shows. */
export interface Clean {
  /** The database that cases are copies of. */
  readonly template: string;
  readonly files: Readonly<Record<string, string>>;
  readonly old: readonly string[];
  readonly new: readonly string[];
  readonly left: readonly string[];
  /** How many messages the command sends. */
  readonly messages: number;
}

/** Prepares a scenario and runs its command undisturbed. */
export async function clean(place: Place, scenario: Scenario): Promise<Clean> {
  const { files = {}, before = [], brokenAt, command } = scenario;
  const template = await prepared(place, scenario);
  for (const args of before) {
    if (brokenAt !== undefined) place.wire.arm({ at: await breakingAt(place, scenario), fault: 'before' });
    const ended = await template.type(args);
    const works = [0, 4].includes(ended.code ?? -1);
    if (works === (brokenAt !== undefined)) throw new Error(`${scenario.name}: ${ended.stderr}`);
  }
  await template.settled();
  const once = await place.make(template.name, files);
  const old = await once.live();
  place.wire.arm();
  const ended = await once.type(command);
  if (ended.code !== 0) throw new Error(`${scenario.name}, undisturbed: ${ended.stderr}`);
  const messages = place.wire.messages;
  await once.settled();
  const made = {
    template: template.name,
    files,
    old,
    new: await once.live(),
    left: await once.leftovers(),
    messages,
  };
  await once.drop();
  return made;
}

async function prepared(place: Place, { files = {} }: Scenario): Promise<Case> {
  const made = await place.make('template0', files);
  await place.admin.query(`ALTER DATABASE ${ident(made.name)} SET search_path = public`);
  await made.set(SYSTEM);
  return made;
}

/** Where the command before is to break off. */
async function breakingAt(place: Place, scenario: Scenario): Promise<number> {
  const { before = [], brokenAt = 1 } = scenario;
  const trial = await prepared(place, scenario);
  place.wire.arm();
  for (const args of before) await trial.type(args);
  const at = Math.round(place.wire.messages * brokenAt);
  await trial.settled();
  await trial.drop();
  return at;
}

/** What was wrong with one cut; nothing where all was right. */
export interface Outcome {
  readonly struck: string | undefined;
  readonly end: string;
  readonly wrong: readonly string[];
}

/** After so many commands the advice leads nowhere. */
const MOST_STEPS = 6;

/** Cuts the command once, and follows what it says. */
export async function cutOnce(place: Place, { command }: Scenario, known: Clean, arm: Arm): Promise<Outcome> {
  const its = await place.make(known.template, known.files);
  const wrong: string[] = [];
  const add = (what: string) => wrong.push(what);
  try {
    place.wire.arm(arm);
    const first = await its.type(command);
    const { struck } = place.wire;
    place.wire.arm();
    if (!(await its.settled())) add('its sessions are still there after 30 s');
    judgeState(first, await its.live(), known, add);
    const last = await follow(its, first, add);
    await its.settled();
    const live = await its.live();
    if (!same(live, known.new)) add(`after the advice live is not new: ${difference(known.new, live)}`);
    const left = await its.leftovers();
    if (!same(left, known.left))
      add(
        `left over: ${left.join(', ')} (undisturbed: ${known.left.join(', ')}); ${(await its.batches()).join(', ')}; ${last}`,
      );
    return { struck, end: endOf(first), wrong: wrong.map((each) => `${each}\n${indented(first)}`) };
  } finally {
    await its.drop();
  }
}

/** What it has said of live is so, and live is wholly old or wholly new. */
function judgeState(ended: Ended, live: readonly string[], known: Clean, add: (what: string) => void): void {
  const [isOld, isNew] = [same(live, known.old), same(live, known.new)];
  if (!isOld && !isNew) add(`live is neither old nor new: ${difference(known.new, live)}`);
  if (ended.code === 0 && !isNew) add('said to be done, and live is old');
  const untouched =
    /nothing was (published|written|put back|changed|undone|read|dropped)|live tables are untouched/i.test(
      ended.stderr,
    );
  if (ended.code !== 0 && untouched && !isOld) add('live is new, and it says that it is not');
  if (ended.code !== 0 && !/^ *state: /m.test(ended.stderr)) add('it does not say what state things are in');
  if (/at .*\.js:\d+/.test(ended.stderr)) add('a stack trace');
}

/** Types what is suggested first until a command is done; says what was typed last. */
async function follow(its: Case, first: Ended, add: (what: string) => void): Promise<string> {
  let ended = first;
  let last = '';
  for (let step = 1; ended.code !== 0; step++) {
    const [suggested] = suggestedIn(ended.stderr.slice(ended.stderr.indexOf('next:')));
    if (suggested === undefined || !ended.stderr.includes('next:')) {
      add(`no next command: ${ended.stderr}`);
      return last;
    }
    if (step > MOST_STEPS) {
      add(`the advice leads nowhere: ${suggested}`);
      return last;
    }
    const [words = []] = wordsOf(suggested);
    last = suggested;
    ended = await its.type(consenting(words));
    // To look is no end: what it says to do next is.
    if (ended.code === 0 && words[0] === 'status') {
      const [next] = suggestedIn(`${ended.stdout}\n${ended.stderr}`).filter(
        (each) => !/^sluice (status|report|rejects)/.test(each),
      );
      if (next === undefined || /completed|rolled_back/.test(ended.stdout)) return last;
      ended = { code: 1, stdout: '', stderr: `next: ${next}` };
    }
  }
  return last;
}

/** Consent is the reader's to give. */
const consenting = (words: readonly string[]) =>
  ['run', 'copy', 'load', 'swap', 'rollback'].includes(words[0] ?? '') && !words.includes('--yes')
    ? [...words, '--yes']
    : words;

const same = (a: readonly string[], b: readonly string[]) => a.join('\n') === b.join('\n');

function difference(wanted: readonly string[], there: readonly string[]): string {
  const lost = wanted.filter((line) => !there.includes(line));
  const more = there.filter((line) => !wanted.includes(line));
  return `${lost.length} lost (${lost.slice(0, 3).join('; ')}), ${more.length} more (${more.slice(0, 3).join('; ')})`;
}

const endOf = ({ code, stderr }: Ended) =>
  code === 0 ? 'done' : /outcome|not known/i.test(stderr) ? 'outcome not known' : `exit ${code}`;

const indented = ({ stderr }: Ended) =>
  stderr
    .trim()
    .split('\n')
    .slice(-8)
    .map((line) => `      ${line}`)
    .join('\n');
