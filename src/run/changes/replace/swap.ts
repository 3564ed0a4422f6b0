import {
  type FinishedTable,
  type FinishOptions,
  finishStaging,
} from '../../../../sinks/publish/replace/finish.js';
import { replaceParts } from '../../../../sinks/publish/replace/parts.js';
import type { StagedTable } from '../../../../sinks/publish/replace/staging.js';
import { stripOld } from '../../../../sinks/publish/replace/strip.js';
import { surveyReplace } from '../../../../sinks/publish/replace/survey.js';
import type { Survey } from '../../../../sinks/publish/replace/surveyed.js';
import type { WindowPart } from '../../../../sinks/publish/window.js';
import type { BatchNames } from '../../given/batch-names.js';
import { Change, type Site } from '../change.js';
import { isAltered, tellAltered, tellUnlike } from './altered.js';
import { refreshAll } from './refresh.js';

/** Tables that take the places of live ones, whether they were loaded or come back. */
export abstract class Swap extends Change {
  readonly question = 'publishing';
  /** What the catalog says of the live tables; undefined where none is replaced. */
  surveyed: Survey | undefined;
  /** The tables that take their places, in the survey's order. */
  staged: readonly StagedTable[] = [];
  #finished: readonly FinishedTable[] | undefined;

  constructor(protected readonly site: Site) {
    super();
  }

  /** Where the tables are staged, and where those that they replace are kept. */
  protected abstract readonly names: BatchNames;

  /** Throws where the tables cannot be replaced as `now` says. */
  protected abstract assertReplaceable(now: Survey): Promise<void>;

  /** Other tables, `schema.table`, of which the same window deletes rows. */
  protected abstract readonly deleting: ReadonlySet<string>;

  /** How staging is made ready. */
  protected abstract readonly finishing: FinishOptions;

  /** The tables as they would be, where nothing is staged. */
  protected abstract planned(survey: Survey): readonly FinishedTable[];

  /** Counts staging against what it was handed, builds indexes and keys, and checks foreign keys both ways. */
  override async prepare(): Promise<void> {
    if (this.surveyed === undefined) return;
    const client = await this.site.database.session();
    const survey = await surveyReplace(client, this.surveyed.targets);
    await this.assertReplaceable(survey);
    const { tables } = await finishStaging(client, survey, this.staged, this.finishing);
    this.surveyed = survey;
    this.#finished = tables;
  }

  /** The tables that take the places, as far as they are ready. */
  protected get ready(): readonly FinishedTable[] {
    return this.surveyed === undefined ? [] : (this.#finished ?? this.planned(this.surveyed));
  }

  override window(parts: readonly WindowPart[]): readonly WindowPart[] {
    if (this.surveyed === undefined) return parts;
    return [...parts, ...replaceParts(this.surveyed, this.ready, this.names, this.deleting)];
  }

  override async explain(error: unknown): Promise<unknown> {
    const { surveyed } = this;
    if (surveyed === undefined) return undefined;
    const { database } = this.site;
    if (!isAltered(error)) return tellUnlike(database, surveyed, error);
    return tellAltered(database, surveyed, error, (now) => this.assertReplaceable(now)).catch(
      (refusal: unknown) => refusal,
    );
  }

  /** The old tables must block nobody. */
  override async tidy(): Promise<void> {
    if (this.surveyed === undefined) return;
    await refreshAll(this.site, this.surveyed.refresh);
    await stripOld(
      await this.site.database.session(),
      this.surveyed,
      this.names,
      this.site.database.patience,
    );
  }
}
