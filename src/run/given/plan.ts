import type { PublishMode } from '../../core/target.js';

/** One table of a plan. */
export interface PlannedTable {
  readonly name: string;
  readonly schema: string;
  readonly table: string;
  readonly mode: PublishMode;
  /** Rows in live now, as the planner's statistics estimate them. */
  readonly liveRows: number;
  readonly liveBytes: number;
  /** It is not there yet: the run makes it. */
  readonly missing: boolean;
}

/** What a run is about to do; plain data, printable before anything happens. */
export interface Plan {
  readonly pipeline: string;
  readonly summary: string;
  readonly database: string;
  /** `read`: in how many parts, of which kind, or why in one piece; of `plan` alone. */
  readonly inputs: readonly { readonly name: string; readonly from: string; readonly read?: string }[];
  readonly tables: readonly PlannedTable[];
  /** What rows are written to beside tables: files, stdout, as their sinks are called. */
  readonly files: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
  readonly validations: readonly { readonly name: string; readonly summary: string }[];
  /** Views under the old system's names; `replaces`: a table of the name is kept aside. */
  readonly oldNames: readonly { readonly name: string; readonly replaces: boolean }[];
  /** What follows the tables' names when they are swapped: kind, name and how it is carried. */
  readonly carried: readonly { readonly kind: string; readonly name: string; readonly how: string }[];
  /** What the pipeline says of a run that is to be published; empty where nothing will be. */
  readonly warnings: readonly string[];
  /** Views that the pipeline brings along: `made` by the publish, or there already. */
  readonly views: readonly { readonly schema: string; readonly name: string; readonly made: boolean }[];
}
