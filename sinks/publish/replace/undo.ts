import type { Client } from 'pg';
import { replaceErrors } from '../../../src/core/errors/catalogue/replace.js';
import type { TableFacts } from '../../../src/db/catalog/facts.js';
import { readTable, tableOid } from '../../../src/db/catalog/table.js';
import { patientlyDo } from '../../../src/db/locks/patiently.js';
import { noteSchemasSql } from '../../../src/db/own-schemas.js';
import type { Patience } from '../../../src/db/patience.js';
import { ident, qualified } from '../../../src/db/quote.js';
import { dropEmptySchema, dropKeysTowards } from './discard.js';
import { type StagingNames, schemasFor } from './names.js';
import { shapeDifferences } from './shape.js';
import { makeBatchSchemas, type StagedTable, shutStaging } from './staging.js';
import { stripTable } from './strip.js';
import { assertReplaceable } from './survey.js';
import type { Survey } from './surveyed.js';

/** A table that a publish moved out and kept. */
export interface RetainedTable {
  /** The live table whose place it had. */
  readonly target: { readonly schema: string; readonly table: string };
  readonly schema: string;
  readonly table: string;
  readonly oid: number;
}

/**
 * Prepares the undo of a swap: moves retained tables into the undo's own staging schemas, as if they had
 * just been loaded. Then finishStaging, replaceParts and publish do the rest, with `names` and with all
 * metadata taken from the *current* live tables, so that later grants and indexes survive. To give up,
 * returnRetained. All or nothing. Throws refused('cannot_replace'), refused('retained') where a retained
 * table is gone, refused('shape') where live's columns have changed since.
 */
export async function adoptAsStaging(
  client: Client,
  survey: Survey,
  retained: readonly RetainedTable[],
  names: StagingNames,
  patience: Patience,
): Promise<StagedTable[]> {
  assertReplaceable(survey);
  const work = async () => {
    const schemas = await makeBatchSchemas(client, survey, names);
    const staged: StagedTable[] = [];
    for (const live of survey.tables) {
      const { staging } = schemas.get(live.schema) as StagingNames;
      staged.push(await adopt(client, live, retained, staging));
    }
    await client.query(shutStaging(schemas));
    if (names.batch !== undefined) {
      const made = [...schemas.values()].flatMap(({ staging, old }) => [staging, old]);
      await client.query(noteSchemasSql(names.batch, made));
    }
    return staged;
  };
  return patientlyDo(client, patience, work, { tables: retained, readersToo: true });
}

async function adopt(
  client: Client,
  live: TableFacts,
  retained: readonly RetainedTable[],
  staging: string,
): Promise<StagedTable> {
  const name = `${live.schema}.${live.table}`;
  const kept = retained.find(({ target }) => target.schema === live.schema && target.table === live.table);
  const oid = kept && (await tableOid(client, kept.schema, kept.table));
  if (kept === undefined || oid !== kept.oid) {
    throw replaceErrors.retained.gone({ table: name });
  }
  const facts = (await readTable(client, oid)) as TableFacts;
  const shape = shapeDifferences(live, facts);
  if (shape.length > 0) {
    throw replaceErrors.shape.retained(
      { table: name, kept: `${kept.schema}.${kept.table}` },
      { details: shape },
    );
  }
  const here = qualified(kept.schema, kept.table);
  for (const each of facts.statistics) {
    const object = qualified(each.schema, each.name);
    await client.query(`ALTER STATISTICS ${object} SET SCHEMA ${ident(staging)}`);
  }
  await client.query(`ALTER TABLE ${here} SET SCHEMA ${ident(staging)}`);
  // Here the new owner may create, and else it could not be given to him.
  if (facts.owner !== live.owner)
    await client.query(`ALTER TABLE ${qualified(staging, live.table)} OWNER TO ${ident(live.owner)}`);
  return {
    target: { schema: live.schema, table: live.table, oid: live.oid },
    schema: staging,
    table: live.table,
    oid,
    columns: facts.columns.filter((column) => column.generated === '').map((column) => column.name),
  };
}

/**
 * Gives up an undo: takes the keys towards the adopted tables off other tables, moves the adopted tables
 * back to where they were retained, strips them again, and drops the undo's schemas. May be repeated; what
 * has been moved already is passed over.
 */
export async function returnRetained(
  client: Client,
  staged: readonly StagedTable[],
  retained: readonly RetainedTable[],
  names: StagingNames,
  patience: Patience,
): Promise<void> {
  const schemas = [
    ...schemasFor(
      staged.map((table) => table.target),
      names,
    ).values(),
  ];
  for (const { staging } of schemas) await dropKeysTowards(client, staging, patience);
  const moveBack = async () => {
    for (const table of staged) {
      const home = retained.find((each) => each.oid === table.oid);
      const there = await tableOid(client, table.schema, table.table);
      if (home === undefined || there !== table.oid) continue;
      const facts = (await readTable(client, table.oid)) as TableFacts;
      for (const each of facts.statistics) {
        const object = qualified(each.schema, each.name);
        await client.query(`ALTER STATISTICS ${object} SET SCHEMA ${ident(home.schema)}`);
      }
      await client.query(
        `ALTER TABLE ${qualified(table.schema, table.table)} SET SCHEMA ${ident(home.schema)}`,
      );
    }
  };
  await patientlyDo(client, patience, moveBack, { tables: staged, readersToo: true });
  for (const table of retained) await stripTable(client, table, patience);
  for (const { staging, old } of schemas) {
    await dropEmptySchema(client, staging, patience);
    await dropEmptySchema(client, old, patience);
  }
}
