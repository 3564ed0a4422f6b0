import type { Dependent } from '../../../src/db/catalog/dependents.js';
import type { Distribution } from '../../../src/db/catalog/distribution.js';
import type { ReferencedKey, TableFacts } from '../../../src/db/catalog/facts.js';
import { ident, qualified } from '../../../src/db/quote.js';
import { referencing, withoutColumns, withoutNotValid } from './definitions.js';
import { alone } from './distributed.js';
import { swapName } from './names.js';
import type { StagedTable } from './staging.js';
import type { Survey } from './surveyed.js';

/** A foreign key to be made before the swap: on a staged table, or on another table towards a staged one. */
export interface SwapKey {
  /** The constraint as users know it. */
  readonly name: string;
  /** Its name until the swap. */
  readonly staged: string;
  readonly on: { readonly schema: string; readonly table: string };
  /** The table it is on, and its parent, by their names in live; as messages name them. */
  readonly onLive: string;
  readonly parentLive: string;
  /** The table that it refers to until the swap. */
  readonly parent: { readonly schema: string; readonly table: string };
  readonly definition: string;
  /** Whether live's own is validated; then so must this be. */
  readonly validate: boolean;
  readonly enforced: boolean;
  readonly comment: string | null;
  /** The index of its parent that it must go by. */
  readonly index: string | null;
  /** Of the table that it is on. */
  readonly distribution: Distribution | null;
}

type InboundKey = Extract<Dependent, { kind: 'foreign key' }>;

/** The foreign keys from tables that are not replaced to ones that are. */
const inboundKeys = (survey: Survey): InboundKey[] =>
  survey.dependents.filter((each): each is InboundKey => each.kind === 'foreign key');

/** The names of the indexes of `live` that foreign keys go by: its own to itself, and those of other tables. Pure. */
export function keyedIndexes(survey: Survey, live: TableFacts): Set<string> {
  const own = survey.tables.flatMap((table) =>
    table.constraints.filter((key) => key.references?.oid === live.oid).map((key) => key.references?.key),
  );
  const others = inboundKeys(survey)
    .filter((key) => key.targets[0] === live.oid)
    .map((key) => key.key);
  return new Set([...own, ...others].flatMap((key) => (key == null ? [] : [key.index])));
}

/** Every foreign key to make: those of the staged tables, then those towards them. Pure. */
export function swapKeys(survey: Survey, staged: readonly StagedTable[]): SwapKey[] {
  const stagedOf = (oid: number) => staged.find((each) => each.target.oid === oid);
  const outbound = survey.tables.flatMap((table: TableFacts) =>
    table.constraints
      .filter((key) => key.type === 'f')
      .map((key): SwapKey => {
        const parent = key.references && stagedOf(key.references.oid);
        const on = stagedOf(table.oid) as StagedTable;
        return {
          name: key.name,
          staged: key.name,
          on: placeOf(on),
          parent: placeOf(parent ?? key.references ?? on),
          onLive: `${table.schema}.${table.table}`,
          parentLive: nameOf(key.references),
          definition: byKey(
            key.references && parent
              ? referencing(key.definition, key.references, parent)
              : withoutNotValid(key.definition),
            key.references?.key,
          ),
          validate: key.validated && key.enforced,
          enforced: key.enforced,
          comment: key.comment,
          index: key.references?.key?.index ?? null,
          distribution: table.distribution,
        };
      }),
  );
  const inbound = inboundKeys(survey).map((key): SwapKey => {
    const parent = stagedOf(key.targets[0] as number) as StagedTable;
    return {
      name: key.name,
      staged: swapName(key.name),
      on: placeOf(key),
      parent: placeOf(parent),
      onLive: `${key.schema}.${key.table}`,
      parentLive: nameOf(parent.target),
      definition: byKey(referencing(key.definition, parent.target, parent), key.key),
      validate: key.validated && key.enforced,
      enforced: key.enforced,
      comment: key.comment,
      index: key.key?.index ?? null,
      distribution: null,
    };
  });
  return [...outbound, ...inbound];
}

const nameOf = (table: { readonly schema: string; readonly table: string } | null) =>
  table === null ? '' : `${table.schema}.${table.table}`;
const placeOf = ({ schema, table }: SwapKey['on']) => ({ schema, table });

/** A key that goes by its parent's primary key says so by naming no columns: by columns the server takes the oldest index. */
const byKey = (definition: string, key: ReferencedKey | null | undefined): string =>
  key?.primary === true ? withoutColumns(definition) : definition;

/** Adds the key, and reads the rows under a lock that keeps writers of both tables waiting. */
export const addValidKey = (key: SwapKey): string =>
  altering(key, `ADD CONSTRAINT ${ident(key.staged)} ${key.definition}`);

/** Adds the key without reading a row; enforced for new rows from then on. */
export const addKey = (key: SwapKey): string =>
  altering(key, `ADD CONSTRAINT ${ident(key.staged)} ${key.definition}${key.enforced ? ' NOT VALID' : ''}`);

/** Reads the rows; holds no lock that stops reads or writes of the table. */
export const validateKey = (key: SwapKey): string =>
  altering(key, `VALIDATE CONSTRAINT ${ident(key.staged)}`);

export const dropKey = (key: SwapKey): string =>
  altering(key, `DROP CONSTRAINT IF EXISTS ${ident(key.staged)}`);

const altering = ({ on, distribution }: SwapKey, change: string): string =>
  alone({ distribution }, `ALTER TABLE ${qualified(on.schema, on.table)} ${change}`);
