import type { Dependent } from '../../src/db/catalog/dependents.js';
import type { TableFacts } from '../../src/db/catalog/facts.js';
import { ident, qualified } from '../../src/db/quote.js';
import { referencing, withoutNotValid } from './definitions.js';
import { swapName } from './names.js';
import type { StagedTable } from './staging.js';
import type { Survey } from './survey.js';

/** A foreign key to be made before the swap: on a staged table, or on another table towards a staged one. */
export interface SwapKey {
  /** The constraint as users know it. */
  readonly name: string;
  /** Its name until the swap. */
  readonly staged: string;
  readonly on: { readonly schema: string; readonly table: string };
  /** The table it is on, as messages name it. */
  readonly onLive: string;
  readonly definition: string;
  /** Whether live's own is validated; then so must this be. */
  readonly validate: boolean;
  readonly enforced: boolean;
  readonly comment: string | null;
}

export type InboundKey = Extract<Dependent, { kind: 'foreign key' }>;

/** The foreign keys from tables that are not replaced to ones that are. */
export const inboundKeys = (survey: Survey): InboundKey[] =>
  survey.dependents.filter((each): each is InboundKey => each.kind === 'foreign key');

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
          on: { schema: on.schema, table: on.table },
          onLive: `${table.schema}.${table.table}`,
          definition:
            key.references && parent
              ? referencing(key.definition, key.references, parent)
              : withoutNotValid(key.definition),
          validate: key.validated && key.enforced,
          enforced: key.enforced,
          comment: key.comment,
        };
      }),
  );
  const inbound = inboundKeys(survey).map((key): SwapKey => {
    const parent = stagedOf(key.targets[0] as number) as StagedTable;
    return {
      name: key.name,
      staged: swapName(key.name),
      on: { schema: key.schema, table: key.table },
      onLive: `${key.schema}.${key.table}`,
      definition: referencing(key.definition, parent.target, parent),
      validate: key.validated && key.enforced,
      enforced: key.enforced,
      comment: key.comment,
    };
  });
  return [...outbound, ...inbound];
}

/** Adds the key without reading a row; enforced for new rows from then on. */
export const addKey = (key: SwapKey): string =>
  `ALTER TABLE ${qualified(key.on.schema, key.on.table)} ADD CONSTRAINT ${ident(key.staged)} ${key.definition}${key.enforced ? ' NOT VALID' : ''}`;

/** Reads the rows; holds no lock that stops reads or writes of the table. */
export const validateKey = (key: SwapKey): string =>
  `ALTER TABLE ${qualified(key.on.schema, key.on.table)} VALIDATE CONSTRAINT ${ident(key.staged)}`;

export const dropKey = (key: SwapKey): string =>
  `ALTER TABLE ${qualified(key.on.schema, key.on.table)} DROP CONSTRAINT IF EXISTS ${ident(key.staged)}`;
