import type { ClientBase } from 'pg';
import { SEES_ALL } from '../../../src/core/errors/catalogue/connection.js';
import { distributedErrors } from '../../../src/core/errors/catalogue/distributed.js';
import { rowErrors } from '../../../src/core/errors/catalogue/rows.js';
import { findsByKey, inserts, type PublishMode } from '../../../src/core/publish-mode.js';
import { distributionOf } from '../../../src/db/catalog/distribution.js';
import { type RowConstraints, readRowConstraints } from '../../../src/db/catalog/row-constraints.js';
import { type RowColumn, type RowTable, readRowTable } from '../../../src/db/catalog/row-tables.js';
import { qualified } from '../../../src/db/quote.js';
import { policiesText } from '../../../src/db/row-security.js';
import { imageColumns } from './before-images.js';
import { type Ours, readRestored, type UndoneRows, writtenBy } from './restored.js';
import { hiddenChildren } from './survey.js';
import { COUNTS_TABLE, IMAGE_XMIN, type RowNames, type RowObjects, rowObjects } from './target.js';

/** One table of a published batch, as undo finds it. */
export interface UndoTable {
  readonly live: RowTable;
  readonly mode: PublishMode;
  readonly objects: RowObjects;
  readonly key: readonly RowColumn[];
  /** The columns that the before-images hold. */
  readonly image: readonly RowColumn[];
  /** Which rows are the very ones that an append without a key has added; null where it is known by their key. */
  readonly ours: Ours | null;
  /** What rows of the table may break. */
  readonly constraints: RowConstraints;
  /** Where the tables of the undo are. */
  readonly undo: string;
  /** Whether the publish switched the table's triggers off; undo then does, too. */
  readonly triggersOff: boolean;
}

/**
 * What of the batch with this undo schema can be undone, in publishing order; tables already undone are left
 * out, and so are those that `only` does not name. `undone` tells the undos of later batches of a table. Read only. Throws refused(), all reasons listed, where a
 * table is gone or lost or changed a column since, or where the role's rights do not suffice: SELECT on all
 * columns, INSERT, UPDATE and DELETE, SELECT on tables that refer to it, and the owner's rights where
 * triggers must be switched off.
 */
export async function surveyUndo(
  client: ClientBase,
  names: Pick<RowNames, 'undo'>,
  only?: readonly { readonly schema: string; readonly table: string }[],
  undone: (target: {
    readonly schema: string;
    readonly table: string;
  }) => Promise<readonly UndoneRows[]> = async () => [],
): Promise<UndoTable[]> {
  const published = await client.query(
    `SELECT schema_name, table_name, mode, to_json(key_columns) AS key, triggers_off, to_jsonb(c) ->> 'writer' AS writer FROM ${qualified(names.undo, COUNTS_TABLE)} c WHERE undone_at IS NULL ORDER BY position`,
  );
  const reasons: string[] = [];
  const tables: UndoTable[] = [];
  for (const row of published.rows as Published[]) {
    const target = { schema: row.schema_name, table: row.table_name };
    const wanted = only?.some((one) => one.schema === target.schema && one.table === target.table) ?? true;
    if (!wanted) continue;
    const name = `${target.schema}.${target.table}`;
    const live = await readRowTable(client, target.schema, target.table);
    if (live === undefined) {
      reasons.push(`${name} does not exist any more`);
      continue;
    }
    if ((await distributionOf(client, live.oid)) !== null)
      throw distributedErrors.distributed_table.undo({ table: name });
    const objects = rowObjects(target, { ...names, staging: '' });
    const image: RowColumn[] = [];
    for (const [column, type] of await imageColumns(client, objects.before)) {
      if (column === IMAGE_XMIN) continue;
      const now = live.columns.find((one) => one.name === column);
      if (now === undefined) reasons.push(`${name} has lost column ${column} since`);
      else if (now.type !== type)
        reasons.push(`column ${column} of ${name} was ${type} and is ${now.type} now`);
      else if (now.generated) reasons.push(`column ${column} of ${name} has become a generated one`);
      else image.push(now);
    }
    const key = row.key.flatMap((column) => image.find((one) => one.name === column) ?? []);
    const ours =
      key.length > 0 || row.writer === null
        ? null
        : writtenBy([row.writer], await readRestored(client, target, await undone(target)));
    const constraints = await readRowConstraints(client, live.oid);
    const table = {
      ...{ ours, live, mode: row.mode, objects, key, image },
      ...{ constraints, undo: names.undo, triggersOff: row.triggers_off },
    };
    reasons.push(...rights(table).map((reason) => `${name}: ${reason}`));
    tables.push(table);
  }
  if (reasons.length === 0) return tables;
  throw rowErrors.not_undoable({ details: reasons });
}

interface Published {
  readonly schema_name: string;
  readonly table_name: string;
  readonly mode: PublishMode;
  readonly key: readonly string[];
  readonly triggers_off: boolean;
  /** Null where an earlier version of Sluice published. */
  readonly writer: string | null;
}

function rights({ live, image, triggersOff, mode }: UndoTable): string[] {
  const reasons: string[] = [];
  const all = (right: 'select' | 'insert' | 'update') => image.every((column) => column.may[right]);
  if (!all('select')) reasons.push('this role lacks SELECT');
  if (findsByKey(mode) && !all('update')) reasons.push('this role lacks UPDATE');
  if (findsByKey(mode) && inserts(mode) && !all('insert')) reasons.push('this role lacks INSERT');
  if (inserts(mode) && !live.mayDelete) reasons.push('this role lacks DELETE');
  if (live.rowSecurity)
    reasons.push(
      `row-level security hides rows from this role (${policiesText(live.policies)}); use ${SEES_ALL}`,
    );
  if (triggersOff && !live.owned) reasons.push('its triggers must be switched off, which needs the owner');
  for (const child of live.children.filter((one) => !one.readable)) {
    reasons.push(
      `this role lacks SELECT on ${child.schema}.${child.table}, whose rows may refer to this table`,
    );
  }
  if (inserts(mode)) reasons.push(...hiddenChildren(live));
  return reasons;
}
