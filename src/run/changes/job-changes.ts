import type { Target } from '../../core/target.js';
import type { Job } from '../job/job.js';
import type { Change } from './change.js';
import { MissingTables } from './missing-tables.js';
import { OldNames } from './old-names.js';
import { OwnersCode, writtenBy } from './owners-code.js';
import { SettledRecords } from './records/records.js';
import { Replace } from './replace/replace.js';
import { Rows } from './rows/rows.js';
import { Schemas } from './schemas.js';
import type { StagingTable } from './staging-table.js';
import { Views } from './views.js';
import { WriteGuard } from './write-guard/write-guard.js';

/** What the publish of a job changes. */
export class JobChanges {
  readonly missing: MissingTables;
  readonly code: OwnersCode;
  readonly rows: Rows;
  readonly replace: Replace;
  readonly views: Views;
  readonly oldNames: OldNames;
  readonly guard: WriteGuard;
  /**
   * All of them, in the order in which they are surveyed, staged, made ready, put into the window and tidied up after; they
   * are discarded in the reverse order. Tables are there before what is made over them, and the guard, which asks in the
   * window whether it was tripped, is the last.
   */
  readonly all: readonly Change[];

  constructor(job: Job) {
    this.missing = new MissingTables(job);
    this.code = new OwnersCode(job.options, () => writtenBy(job));
    this.views = new Views(job);
    this.replace = new Replace(job, this.views);
    this.rows = new Rows(job, this.replace, this.views);
    this.oldNames = new OldNames(job);
    this.guard = new WriteGuard(job, this.replace);
    this.all = [
      this.missing,
      new Schemas(job.options, job),
      this.code,
      this.rows,
      this.replace,
      this.views,
      new SettledRecords(job, this.rows, this.replace),
      this.oldNames,
      this.guard,
    ];
  }

  /** Where every target's rows go, once there is staging. */
  get places(): ReadonlyMap<Target, StagingTable> {
    return new Map([...this.rows.places, ...this.replace.places]);
  }
}
