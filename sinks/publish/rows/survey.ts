import type { ClientBase } from 'pg';
import { SEES_ALL } from '../../../src/core/errors/catalogue/connection.js';
import { distributedErrors } from '../../../src/core/errors/catalogue/distributed.js';
import { fillingErrors } from '../../../src/core/errors/catalogue/filling.js';
import { headerErrors } from '../../../src/core/errors/catalogue/headers.js';
import { rowErrors } from '../../../src/core/errors/catalogue/rows.js';
import { tableErrors } from '../../../src/core/errors/catalogue/tables.js';
import { nearest } from '../../../src/core/errors/nearest.js';
import { deletes, findsByKey, inserts } from '../../../src/core/publish-mode.js';
import { distributionOf } from '../../../src/db/catalog/distribution.js';
import { type RowConstraints, readRowConstraints } from '../../../src/db/catalog/row-constraints.js';
import { type RowColumn, type RowTable, readRowTable } from '../../../src/db/catalog/row-tables.js';
import { ident, qualified } from '../../../src/db/quote.js';
import { policiesText } from '../../../src/db/row-security.js';
import { ORIGIN_COLUMNS } from '../../load/encode/ordinal.js';
import { IMAGE_XMIN, type RowTableFacts, type RowTarget } from './target.js';

/** Names that the undo tables use beside the key's columns. */
const RESERVED = ['sluice_kind', 'sluice_hash'];
const RESERVED_ANYWHERE = [IMAGE_XMIN];

/**
 * Checks `target` against the catalog and the current role's rights, and returns what the other functions
 * of append, merge, sync and patch need. Read only. Throws usage() where the target itself is wrong (no such
 * column, no key), refused() with every reason listed where the table or the rights do not allow it:
 *
 * append needs INSERT on the loaded columns and SELECT on all; merge also UPDATE on the loaded columns
 * outside the key; sync as merge and DELETE; patch needs SELECT and UPDATE; noTriggers the
 * owner's rights; columns numbered by a sequence that are loaded, SELECT and UPDATE on the sequence.
 */
export async function surveyRows(client: ClientBase, target: RowTarget): Promise<RowTableFacts> {
  const name = `${target.schema}.${target.table}`;
  const live = await readRowTable(client, target.schema, target.table);
  if (live === undefined) {
    throw tableErrors.no_such_table.toChange({ table: name });
  }
  if ((await distributionOf(client, live.oid)) !== null)
    throw distributedErrors.distributed_table.rows({ table: name, mode: target.mode });
  if (target.columns.length === 0)
    throw headerErrors.no_columns.ofTable({
      table: name,
      declared: `${target.mode}('${target.table}', { columns: ['…'] })`,
    });
  const byName = new Map(live.columns.map((column) => [column.name, column]));
  const find = (column: string): RowColumn => {
    const found = byName.get(column);
    if (found !== undefined) return found;
    throw fillingErrors.no_such_column.declared({
      table: name,
      column,
      meant: nearest(column, [...byName.keys()]),
    });
  };
  const loaded = target.columns.map(find);
  const twice = target.columns.find((column, i) => target.columns.indexOf(column) !== i);
  if (twice !== undefined) {
    throw fillingErrors.column_twice.loaded({ table: name, column: twice });
  }
  const key = chooseKey(target, live).map(find);
  const keyNames = key.map((column) => column.name);
  const constraints = await readRowConstraints(client, live.oid);
  const inOrder = numbersRows(target, constraints);
  const facts: RowTableFacts = {
    target,
    live,
    key,
    keyEnforced: live.keys.some((unique) => sameSet(unique.columns, keyNames)),
    loaded,
    values: loaded.filter((column) => !keyNames.includes(column.name)),
    image: live.columns.filter((column) => !column.generated),
    constraints,
    numbered:
      (inOrder || mayBreak(target, live, constraints)) &&
      !Object.values(ORIGIN_COLUMNS).some((column) => byName.has(column)),
    inOrder,
  };
  const reasons = [...shapeRefusals(facts), ...rightsRefusals(facts)];
  if (reasons.length > 0) {
    throw rowErrors.table_not_publishable({ table: name, mode: target.mode }, { details: reasons });
  }
  return facts;
}

function chooseKey(target: RowTarget, live: RowTable): readonly string[] {
  const name = `${target.schema}.${target.table}`;
  if (target.key !== undefined && target.key.length > 0) {
    const absent = !findsByKey(target.mode) ? undefined : target.key.find((c) => !target.columns.includes(c));
    if (absent === undefined) return target.key;
    throw fillingErrors.key_not_loaded({ table: name, mode: target.mode, column: absent });
  }
  const notNull = new Set(live.columns.filter((column) => column.notNull).map((column) => column.name));
  const usable = live.keys.filter((key) => key.columns.every((column) => notNull.has(column)));
  if (!findsByKey(target.mode)) return usable[0]?.columns ?? [];
  const fitting = usable.find((key) => key.primary && key.columns.every((c) => target.columns.includes(c)));
  if (fitting !== undefined) return fitting.columns;
  throw fillingErrors.no_key.loaded({
    table: name,
    mode: target.mode,
    declared: `${target.mode}('${target.table}', { key: ['…'] })`,
  });
}

/** Whether a sequence or a trigger numbers the rows that are added, so that their order shows. */
function numbersRows({ mode, columns, noTriggers }: RowTarget, constraints: RowConstraints): boolean {
  if (!inserts(mode)) return false;
  const { fills, rowInsertTriggers } = constraints;
  return (
    (rowInsertTriggers && noTriggers !== true) ||
    fills.some(({ column, numbers }) => numbers && !columns.includes(column))
  );
}

/** Whether there is something that rows which their columns can hold may break all the same. */
function mayBreak({ mode }: RowTarget, { kind, triggers }: RowTable, known: RowConstraints): boolean {
  const { checks, uniques, exclusions, foreignKeys } = known;
  return (
    findsByKey(mode) ||
    kind === 'p' ||
    [checks, uniques, exclusions, foreignKeys].some((each) => each.length > 0) ||
    triggers.length > 0
  );
}

function shapeRefusals({ target, live, key, loaded, values, image, keyEnforced }: RowTableFacts): string[] {
  const reasons: string[] = [];
  if (live.kind !== 'r' && live.kind !== 'p') {
    reasons.push(
      `it is ${KINDS[live.kind] ?? `of kind ${live.kind}`}, not a table; name the table behind it`,
    );
  }
  for (const rule of live.rules) {
    reasons.push(
      `rule ${rule} rewrites writes to it, so that what is written cannot be known; switch it off for the run: ALTER TABLE ${qualified(target.schema, target.table)} DISABLE RULE ${ident(rule)}`,
    );
  }
  if (live.heirs.length > 0) {
    reasons.push(
      `other tables inherit from it (${live.heirs.join(', ')}), and its keys do not hold over their rows; publish into the table itself that is meant, or make it a partitioned one`,
    );
  }
  if (live.foreign.length > 0) {
    reasons.push(
      `partitions of it are foreign tables (${live.foreign.join(', ')}), whose writers nothing here keeps out; publish into the other partitions themselves`,
    );
  }
  if (live.rowSecurity) {
    reasons.push(
      `row-level security hides rows from this role (${policiesText(live.policies)}); use ${SEES_ALL}`,
    );
  }
  for (const column of loaded.filter((one) => one.generated)) {
    reasons.push(`column ${column.name} is generated; leave it out of the loaded columns`);
  }
  for (const { name } of image.filter((column) => RESERVED_ANYWHERE.includes(column.name)))
    reasons.push(`column ${name} has a name that undo needs`);
  for (const column of key) {
    if (column.equality === null) reasons.push(`key column ${column.name} (${column.type}) has no equality`);
    if (RESERVED.includes(column.name)) reasons.push(`key column ${column.name} has a name that undo needs`);
  }
  if (findsByKey(target.mode)) {
    for (const column of values.filter((one) => one.identity === 'always')) {
      reasons.push(
        `column ${column.name} is GENERATED ALWAYS AS IDENTITY and cannot be updated; leave it out, or, where it is to be filled, let it be: ALTER TABLE ${qualified(target.schema, target.table)} ALTER COLUMN ${ident(column.name)} SET GENERATED BY DEFAULT`,
      );
    }
  }
  if (!inserts(target.mode) && values.length === 0) reasons.push('only its key is loaded; nothing to patch');
  if (!findsByKey(target.mode)) {
    if (target.key !== undefined && !keyEnforced)
      reasons.push('the key has no unique index, so undo could miss rows');
    for (const column of live.columns.filter((one) => one.notNull && !one.filled && !one.generated)) {
      if (loaded.includes(column) || live.triggers.some((trigger) => trigger.before && trigger.insert))
        continue;
      reasons.push(`column ${column.name} is NOT NULL without a default and is not loaded`);
    }
  }
  return reasons;
}

function rightsRefusals({ target, live, image, loaded, values }: RowTableFacts): string[] {
  if (live.kind !== 'r' && live.kind !== 'p') return [];
  const reasons: string[] = [];
  const lacks = (right: string, columns: readonly RowColumn[]) => {
    if (columns.length > 0)
      reasons.push(`this role lacks ${right} on ${columns.map((c) => c.name).join(', ')}`);
  };
  lacks(
    'SELECT',
    image.filter((column) => !column.may.select),
  );
  if (inserts(target.mode))
    lacks(
      'INSERT',
      loaded.filter((column) => !column.may.insert),
    );
  if (findsByKey(target.mode))
    lacks(
      'UPDATE',
      values.filter((column) => !column.may.update),
    );
  if (findsByKey(target.mode) && live.columns.every((column) => !column.may.update) && !live.mayDelete) {
    reasons.push('this role needs UPDATE or DELETE on the table to lock it against writers');
  }
  if (deletes(target.mode)) {
    if (!live.mayDelete) reasons.push('this role lacks DELETE');
    for (const child of live.children.filter((one) => !one.readable)) {
      reasons.push(
        `this role lacks SELECT on ${child.schema}.${child.table}, whose rows refer to this table`,
      );
    }
    reasons.push(...hiddenChildren(live));
  }
  if (target.noTriggers === true && !live.owned)
    reasons.push('switching triggers off needs the owner of the table');
  if (inserts(target.mode)) {
    for (const { name, sequence } of loaded) {
      if (sequence !== null && !sequence.settable) {
        reasons.push(`this role lacks SELECT and UPDATE on sequence ${sequence.name}, which numbers ${name}`);
      }
    }
  }
  return reasons;
}

/** Whose rows may refer to rows that are to be deleted, and would not be seen to. */
export function hiddenChildren({ children, rowSecurity }: RowTable): string[] {
  // A table that refers to itself is told of once.
  return children
    .filter(({ hidden, self }) => hidden && !(self && rowSecurity))
    .map(
      ({ schema, table }) =>
        `row-level security hides rows of ${schema}.${table} from this role, and they may refer to this table; use ${SEES_ALL}`,
    );
}

const KINDS: Readonly<Record<string, string>> = {
  v: 'a view',
  m: 'a materialized view',
  f: 'a foreign table',
  S: 'a sequence',
  i: 'an index',
  c: 'a composite type',
};

const sameSet = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((one) => b.includes(one));
