import type { Client } from 'pg';
import { stagingErrors } from '../../../src/core/errors/catalogue/staging.js';
import { additionRefusal, readEventTriggers, takeOffAdditions } from '../../../src/db/catalog/additions.js';
import type { TableFacts } from '../../../src/db/catalog/facts.js';
import { inTransaction } from '../../../src/db/catalog/session.js';
import { readTable, tableOid } from '../../../src/db/catalog/table.js';
import { closeSchemas } from '../../../src/db/close.js';
import { admit, makeSchemas, noteSchemasSql, openTo } from '../../../src/db/own-schemas.js';
import { ident, literal, qualified } from '../../../src/db/quote.js';
import { distributeStatements } from './distributed.js';
import { revokeStatements } from './grants.js';
import { type StagingNames, schemasFor } from './names.js';
import { dimensionStatements } from './row-type.js';
import { shapeDifferences } from './shape.js';
import { assertReplaceable } from './survey.js';
import type { Survey } from './surveyed.js';

/** A table that is to take a live table's place. */
export interface StagedTable {
  /** The live table. */
  readonly target: { readonly schema: string; readonly table: string; readonly oid: number };
  /** Where it stands now. */
  readonly schema: string;
  readonly table: string;
  readonly oid: number;
  /** The columns that can be loaded, in order: all but generated ones. */
  readonly columns: readonly string[];
}

/** `fillfactor='70', toast.autovacuum_enabled='off'` out of reloptions. */
export function optionList(options: readonly string[], prefix = ''): string[] {
  return options.map((option) => {
    const at = option.indexOf('=');
    return at < 0
      ? `${prefix}${ident(option)}`
      : `${prefix}${ident(option.slice(0, at))}=${literal(option.slice(at + 1))}`;
  });
}

/** Statements that make an empty table like `live` in `schema`, as the live table's owner, who may create there. */
function stagingStatements(live: TableFacts, schema: string): string[] {
  const table = qualified(schema, live.table);
  const options = [...optionList(live.options), ...optionList(live.toastOptions, 'toast.')];
  const create = [
    `CREATE ${live.persistence === 'u' ? 'UNLOGGED ' : ''}TABLE ${table}`,
    `(LIKE ${qualified(live.schema, live.table)} INCLUDING ALL`,
    // Identity is left out because LIKE would name its sequence itself, and live's name must be kept.
    'EXCLUDING IDENTITY EXCLUDING INDEXES EXCLUDING STATISTICS)',
    ...(live.accessMethod === null ? [] : [`USING ${ident(live.accessMethod)}`]),
    ...(options.length === 0 ? [] : [`WITH (${options.join(', ')})`]),
    ...(live.tablespace === null ? [] : [`TABLESPACE ${ident(live.tablespace)}`]),
  ].join(' ');
  const identities = live.sequences
    .filter((sequence) => sequence.kind === 'identity')
    .map((sequence) => {
      const always = live.columns.find((column) => column.name === sequence.column)?.identity === 'a';
      const settings = [
        `SEQUENCE NAME ${qualified(schema, sequence.name)}`,
        `START WITH ${sequence.start} INCREMENT BY ${sequence.increment}`,
        `MINVALUE ${sequence.min} MAXVALUE ${sequence.max} CACHE ${sequence.cache}`,
        sequence.cycle ? 'CYCLE' : 'NO CYCLE',
      ].join(' ');
      return `ALTER TABLE ${table} ALTER COLUMN ${ident(sequence.column)} ADD GENERATED ${always ? 'ALWAYS' : 'BY DEFAULT'} AS IDENTITY (${settings})`;
    });
  const arrays = dimensionStatements(live, table);
  return [
    `SET LOCAL ROLE ${ident(live.owner)}`,
    ...[create, ...arrays, ...identities, ...distributeStatements(live, table)],
    'RESET ROLE',
  ];
}

/**
 * Makes the schemas of `names` for the surveyed tables, those that are not there yet: by the schema of live. The tables'
 * owners may create in those for staging, until shutStaging is run, and find what is in those for old tables: their
 * keys are there until they are tidied up. Throws what makeSchemas throws. Call inside a transaction.
 */
export async function makeBatchSchemas(
  client: Client,
  survey: Survey,
  names: StagingNames,
): Promise<Map<string, StagingNames>> {
  const schemas = schemasFor(survey.tables, names);
  for (const [live, { staging, old }] of schemas) {
    const owners = ownersIn(survey, live);
    await makeSchemas(client, [staging, old], names);
    await client.query([...openTo(staging, owners), ...admit(old, owners)].join('; '));
  }
  return schemas;
}

/** The owners of the surveyed tables of a schema. */
function ownersIn(survey: Pick<Survey, 'tables'>, live: string): string[] {
  return survey.tables.filter(({ schema }) => schema === live).map(({ owner }) => owner);
}

/**
 * The statement behind the last table that is made in staging: from then on nobody but the schema's owner reaches what is
 * in it. Whoever owns a staged table could else put code on it that the load runs, or another thing into its place.
 */
export function shutStaging(schemas: ReadonlyMap<string, StagingNames>): string {
  return closeSchemas(
    [...schemas.values()].map(({ staging }) => staging),
    ['schema'],
  );
}

/**
 * Makes the batch's schemas (closed to everybody) and in them one empty
 * table for each surveyed one, to be filled by COPY. All or nothing. `client` must be idle. Throws
 * refused('cannot_replace') where the survey has refusals, refused('event_trigger') where event triggers make another
 * table of it, failed('staging_exists') where a staged table of
 * the batch is already there.
 */
export async function createStaging(
  client: Client,
  survey: Survey,
  names: StagingNames,
): Promise<StagedTable[]> {
  assertReplaceable(survey);
  const settings = ["SET LOCAL search_path = ''", "SET LOCAL default_tablespace = ''"];
  return inTransaction(client, settings, async () => {
    const schemas = await makeBatchSchemas(client, survey, names);
    const staged: StagedTable[] = [];
    for (const table of survey.tables) {
      const schema = (schemas.get(table.schema) as StagingNames).staging;
      if ((await tableOid(client, schema, table.table)) !== undefined) {
        throw stagingErrors.staging_exists({
          staging: `${schema}.${table.table}`,
          table: `${table.schema}.${table.table}`,
        });
      }
      staged.push((await makeStaged(client, table, schema)).made);
    }
    await client.query(shutStaging(schemas));
    if (names.batch !== undefined) {
      const made = [...schemas.values()].flatMap(({ staging, old }) => [staging, old]);
      await client.query(noteSchemasSql(names.batch, made));
    }
    return staged;
  });
}

/**
 * An empty table like `live` in `schema`. What event triggers put on it is taken off; refused('event_trigger') where they
 * make another table of it. Call inside a transaction with an empty search_path.
 */
export async function makeStaged(client: Client, live: TableFacts, schema: string): Promise<Made> {
  for (const sql of stagingStatements(live, schema)) await client.query(sql);
  const { made, facts } = await described(client, live, schema, live.table);
  const differing = shapeDifferences(live, facts);
  if (differing.length > 0)
    throw additionRefusal(`${live.schema}.${live.table}`, differing, await readEventTriggers(client));
  await takeOffAdditions(client, { oids: [made.oid] });
  return { made, facts };
}

/** A staged table, and what it was when it was made: privileges and what event triggers add are taken off behind it. */
export interface Made {
  readonly made: StagedTable;
  readonly facts: TableFacts;
}

/** The staged table as it stands, after default privileges that leaked onto it have been taken off. */
export async function describeStaged(
  client: Client,
  live: TableFacts,
  schema: string,
  table: string,
): Promise<StagedTable> {
  return (await described(client, live, schema, table)).made;
}

async function described(client: Client, live: TableFacts, schema: string, table: string): Promise<Made> {
  const oid = (await tableOid(client, schema, table)) as number;
  const facts = (await readTable(client, oid)) as TableFacts;
  const revokes = [
    ...revokeStatements(`TABLE ${qualified(schema, table)}`, facts.owner, facts.grants),
    ...facts.sequences
      .filter((sequence) => sequence.kind === 'identity')
      .flatMap((sequence) =>
        revokeStatements(
          `SEQUENCE ${qualified(sequence.schema, sequence.name)}`,
          facts.owner,
          sequence.grants,
        ),
      ),
  ];
  for (const sql of revokes) await client.query(sql);
  const made = {
    target: { schema: live.schema, table: live.table, oid: live.oid },
    schema,
    table,
    oid,
    columns: facts.columns.filter((column) => column.generated === '').map((column) => column.name),
  };
  return { made, facts };
}
