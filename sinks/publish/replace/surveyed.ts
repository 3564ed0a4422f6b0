import type { CompiledFunction, Dependent } from '../../../src/db/catalog/dependents.js';
import type { TableFacts } from '../../../src/db/catalog/facts.js';
import type { KeptOids } from '../../../src/db/catalog/kept-oids.js';
import type { Likeness } from '../../../src/db/catalog/likeness.js';
import type { Carried } from './carried.js';
import type { Refusal } from './refusals.js';

/** A table to be replaced, as the user has asked for it. */
export interface ReplaceTarget {
  readonly schema: string;
  readonly table: string;
  /** OIDs of the table that others keep as data become those of its new table. Default: they refuse it. */
  readonly rewriteOids?: boolean;
}

/** What the catalog said of the tables to be replaced, and what follows from it. Plain data. */
export interface Survey {
  /** What was asked for, to ask for it again. */
  readonly targets: readonly ReplaceTarget[];
  readonly tables: readonly TableFacts[];
  readonly dependents: readonly Dependent[];
  readonly compiled: readonly CompiledFunction[];
  /** Materialized views over views on the tables: they hold old rows until REFRESHed after the swap. */
  readonly refresh: readonly { readonly schema: string; readonly name: string }[];
  /** Everything that the new tables will get, and how: for the plan. */
  readonly carried: readonly Carried[];
  /** Why the tables cannot be replaced; empty when they can. */
  readonly refusals: readonly Refusal[];
  /** What users' tables keep of the tables' OIDs. */
  readonly keptOids: KeptOids;
  /** What each table is to those who use it, as its new one is to be. */
  readonly likeness: readonly Likeness[];
  /** Of all tables together; see fingerprintSql. */
  readonly fingerprint: string;
}
