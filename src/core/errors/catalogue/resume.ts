import { again, command, type Next, type NextStep, type Suggestion } from '../../next.js';
import { misuse, refusal, topic } from './entry.js';
import { NOTHING_CHANGED, NOTHING_PUBLISHED, UNTOUCHED } from './state.js';

/** A batch, and the commands that resume it and that begin it again. */
interface Resumed {
  readonly batch: string;
  readonly resuming: Suggestion;
  readonly afresh: Suggestion;
}

const cannot = (batch: string, why: string, next: Next) => ({
  says: `batch ${batch} cannot be resumed: ${why}`,
  state: NOTHING_CHANGED,
  next,
});

const look = (batch: string) => command('status', [batch], {}, { note: 'what became of it' });

const orAfresh = (afresh: Suggestion) => afresh.saying({ lead: 'or start afresh' });

/** Errors of taking up again what an earlier attempt has left. */
export const resumeErrors = topic({
  not_resumable: {
    otherPipeline: misuse(
      ({
        batch,
        pipeline,
        given,
        resuming,
      }: {
        batch: string;
        pipeline: string;
        given: string;
        resuming: Suggestion;
      }) => cannot(batch, `it is one of ${pipeline}, not of ${given}`, resuming),
    ),
    notPublished: misuse(({ batch, resuming }: { batch: string; resuming: Suggestion }) =>
      cannot(batch, 'only a run that is to be published goes on', resuming),
    ),
    loaded: misuse(({ batch, publishing }: { batch: string; publishing: Suggestion }) =>
      cannot(batch, 'it is loaded already', publishing.saying({ note: 'publish it' })),
    ),
    completed: misuse(({ batch, afresh }: { batch: string; afresh: Suggestion }) =>
      cannot(batch, 'it is completed, and there is nothing left to be loaded', [
        look(batch),
        afresh.saying({ lead: 'or load its input once more' }),
      ]),
    ),
    rolledBack: misuse(({ batch, afresh }: { batch: string; afresh: Suggestion }) =>
      cannot(batch, 'it is rolled back, and its staging is gone', [
        afresh.saying({ lead: 'load it once more' }),
        look(batch),
      ]),
    ),
    /** `why`: why its rows cannot be told from those that come by again. */
    notRepeatable: misuse(({ batch, why, afresh }: { batch: string; why: string; afresh: Suggestion }) =>
      cannot(batch, why, afresh.saying({ lead: 'start afresh' })),
    ),
    /** `cause`: the code of the error that ended it. */
    notLoaded: misuse(
      ({ batch, cause, afresh }: { batch: string; cause: string | undefined; afresh: Suggestion }) =>
        cannot(
          batch,
          cause === undefined
            ? 'nothing of it is loaded'
            : `nothing of it is loaded, or its staging was dropped, because of ${cause}`,
          [look(batch), afresh.saying({ lead: 'fix the cause, then start afresh' })],
        ),
    ),
    rejectsGiven: misuse(({ batch, of, resuming }: { batch: string; of: string; resuming: Suggestion }) =>
      cannot(batch, `it was begun without --only-rejects-of ${of}`, [
        resuming,
        again({ drop: ['resume', 'keepStaging'] }, { lead: 'or resubmit them by themselves' }),
      ]),
    ),
    sourceDataKept: misuse(
      ({ batch, resuming, without }: { batch: string; resuming: Suggestion; without: Suggestion }) =>
        cannot(batch, 'it was begun without --no-source-data, and the ledger has values of its rows by now', [
          resuming,
          orAfresh(without),
        ]),
    ),
    setting: misuse(({ batch, name, value, resuming, afresh }: Resumed & { name: string; value: string }) =>
      cannot(batch, `it was begun with ${name}=${value}`, [resuming, orAfresh(afresh)]),
    ),
    /** A setting that a copy's command says in other words. */
    otherCopy: misuse(({ batch, name, resuming, afresh }: Resumed & { name: string }) =>
      cannot(batch, `it was begun with another ${name}`, [resuming, orAfresh(afresh)]),
    ),
  },
  staging_emptied: refusal(
    ({ tables, cleanUp, afresh }: { tables: readonly string[]; cleanUp: NextStep; afresh: Suggestion }) => ({
      says: `the server was restarted, and the staging of ${tables.join(', ')} is UNLOGGED, as live is`,
      state: UNTOUCHED,
      next: [cleanUp, afresh.saying({ lead: 'then start afresh' })],
    }),
  ),
  staging_gone: refusal(({ table, reload }: { table: string; reload: Next }) => ({
    says: `the staging of ${table} is not there any more`,
    state: UNTOUCHED,
    next: reload,
  })),
  staging_not_ours: refusal(
    ({ staging, batch, owner, reload }: { staging: string; batch: string; owner: string; reload: Next }) => ({
      says: `${staging} is not the staging that batch ${batch} has made: ${owner} has put something else in its place`,
      state: UNTOUCHED,
      next: reload,
    }),
  ),
  guard_gone: refusal(({ batch, afresh }: { batch: string; afresh: Suggestion }) => ({
    says: `the write guard of batch ${batch} is not armed any more`,
    state: UNTOUCHED,
    next: afresh.saying({ lead: 'start afresh' }),
  })),
  input_changed: {
    /** `first`: what of which input differs. */
    resumed: refusal(({ first, afresh }: { first: string; afresh: Suggestion }) => ({
      says: `an input is not what it was when the batch began: ${first}`,
      state: 'nothing was read or changed; what is staged is kept',
      next: [again({}, { lead: 'put the input back as it was, then' }), orAfresh(afresh)],
    })),
    resubmitted: refusal(
      ({ input, reject, line }: { input: string; reject: number; line: number | null }) => ({
        says: `${input} is not what it was: reject ${reject} was its line ${line}, and another stands there now`,
        input,
        line: line ?? undefined,
        state: NOTHING_PUBLISHED,
        next: ['put the input back as it was', 'or correct the rows in the input itself, and run it whole'],
      }),
    ),
  },
});
