import type { Dependent } from '../../../src/db/catalog/dependents.js';
import type { TableFacts } from '../../../src/db/catalog/facts.js';
import { fingerprintSql } from '../../../src/db/catalog/fingerprint.js';
import { likenessSql } from '../../../src/db/catalog/likeness.js';
import { ident, literal, qualified } from '../../../src/db/quote.js';
import { alongUsersPath } from '../../../src/db/users-path.js';
import { SETTLE_ALL } from '../deferred.js';
import { raiseWhen } from '../rows/refusals.js';
import { anonymousBlock, NOT_ALIKE, type TableLock, type WindowPart } from '../window.js';
import { codeStatements, keyComments, securityStatements, sequenceStatements } from './after.js';
import { lockDependent, recompile, repointDependent } from './dependents-sql.js';
import { alone } from './distributed.js';
import { type FinishedTable, liveOf } from './finish.js';
import { grantStatements } from './grants.js';
import { rewriteStatements, stillKept } from './kept-oids.js';
import { type StagingNames, schemasFor, swapName } from './names.js';
import { typeGrantStatements } from './row-type.js';
import type { Survey } from './surveyed.js';

/** The SQLSTATE under which the window says that the catalog is not what was surveyed. */
export const CATALOG_CHANGED = 'SL001';

/**
 * The window's share of each surveyed table: the swap itself. `survey` must be the one that the tables
 * were finished with. What depends on several of the tables is done once, by the first. `deleting`: other tables,
 * `schema.table`, of which the same window deletes rows: the old tables' keys to them go at once, else they would keep
 * those rows. Pure.
 */
export function replaceParts(
  survey: Survey,
  staged: readonly FinishedTable[],
  names: StagingNames,
  deleting: ReadonlySet<string> = new Set(),
): WindowPart[] {
  const schemas = schemasFor(survey.tables, names);
  return staged.map((table, at) => {
    const live = liveOf(survey, table);
    const dependents = survey.dependents.filter((each) => each.targets[0] === live.oid);
    const { old } = schemas.get(live.schema) as StagingNames;
    const loose = live.constraints.filter(
      ({ references }) => references !== null && deleting.has(`${references.schema}.${references.table}`),
    );
    return eachAlone(live, {
      table: `${live.schema}.${live.table}`,
      early: rewriteStatements(survey, live, table.oid),
      dependents: dependents.flatMap(lockDependent),
      locks: [
        ...locks(live, table, dependents),
        ...loose.flatMap(({ references }) => (references === null ? [] : [exclusive(references)])),
      ],
      rechecks: [...(at === 0 ? [unaltered(survey)] : []), ...rechecks(live, table)],
      out: out(live, old),
      in: [`ALTER TABLE ${qualified(table.schema, table.table)} SET SCHEMA ${ident(live.schema)}`],
      after: [
        ...sequenceStatements(live, table, { staging: table.schema, old }),
        ...live.statistics.map(
          (each) => `ALTER STATISTICS ${qualified(table.schema, each.name)} SET SCHEMA ${ident(each.schema)}`,
        ),
        ...keyComments(live),
        ...dependents.flatMap(renameKey),
        ...loose.map(
          ({ name }) => `ALTER TABLE ${qualified(old, live.table)} DROP CONSTRAINT ${ident(name)}`,
        ),
        ...codeStatements(live),
        ...securityStatements(live),
        ...grantStatements(
          `TABLE ${qualified(live.schema, live.table)}`,
          live.owner,
          live.grants,
          live.ownerGrantsAreDefault,
        ),
        ...typeGrantStatements(live, table.typeGrants ?? null),
        ...dependents.flatMap(repointDependent),
        ...survey.compiled.filter((each) => each.target === live.oid && each.owned).map(recompile),
      ],
      late: validated(live, table),
      proofs: [
        alike(live, table, survey),
        ...stillKept(survey, live).map(({ condition, column }) =>
          changed(condition, `${column} keeps the OID of ${live.schema}.${live.table} as data`),
        ),
      ],
    });
  });
}

/** The part with each statement that Citus is to carry out on its nodes by itself. Pure. */
function eachAlone(live: TableFacts, part: WindowPart): WindowPart {
  const each = (statements: readonly string[]) => statements.map((sql) => alone(live, sql));
  const { dependents, out, after, late } = part;
  return {
    ...part,
    ...{
      dependents: each(dependents),
      out: each(out),
      in: each(part.in),
      after: each(after),
      late: each(late),
    },
  };
}

/** The keys that hold only now, after all row changes. No row of the server's own checks may be waiting for COMMIT then. */
function validated(live: TableFacts, { later = [], ...table }: FinishedTable): string[] {
  if (later.length === 0) return [];
  return [
    ...alongUsersPath([SETTLE_ALL]),
    ...later.map((key) => {
      const own = key.on.schema === table.schema && key.on.table === table.table;
      const on = own ? live : key.on;
      return `ALTER TABLE ${qualified(on.schema, on.table)} VALIDATE CONSTRAINT ${ident(key.name)}`;
    }),
  ];
}

function locks(live: TableFacts, table: FinishedTable, dependents: readonly Dependent[]): TableLock[] {
  const others = dependents.filter(
    (each) =>
      each.kind === 'foreign key' ||
      each.kind === 'policy' ||
      (each.kind === 'rule' && !'vm'.includes(each.on)),
  ) as Extract<Dependent, { table: string }>[];
  return [live, { schema: table.schema, table: table.table }, ...others].map(exclusive);
}

const exclusive = ({ schema, table }: Pick<TableLock, 'schema' | 'table'>): TableLock => ({
  ...{ schema, table },
  mode: 'ACCESS EXCLUSIVE',
});

const changed = (condition: string, message: string) =>
  anonymousBlock(
    `IF ${condition} THEN RAISE EXCEPTION USING ERRCODE = '${CATALOG_CHANGED}', MESSAGE = ${literal(message)}; END IF;`,
  );

function unaltered(survey: Survey): string {
  const names = survey.tables.map((table) => `${table.schema}.${table.table}`).join(', ');
  const oids = survey.tables.map((table) => table.oid);
  return changed(
    `(${fingerprintSql(oids)}) <> ${literal(survey.fingerprint)}`,
    `${names}, or something that depends on them, was altered since the survey`,
  );
}

function rechecks(live: TableFacts, table: FinishedTable): string[] {
  const name = `${live.schema}.${live.table}`;
  const staged = `pg_catalog.to_regclass(${literal(qualified(table.schema, table.table))}) IS DISTINCT FROM ${table.oid}::pg_catalog.regclass`;
  const restarted = `pg_catalog.pg_postmaster_start_time() <> ${literal(table.serverStart ?? '')}`;
  return [
    changed(staged, `the staged table for ${name} is not the one that was prepared`),
    ...(table.serverStart === null
      ? []
      : [changed(restarted, `the server was restarted since ${name} was staged unlogged`)]),
  ];
}

/**
 * Raises where the new table is not, to those who use it, what the old one was when it was surveyed. Every statement of
 * the window may have fired somebody's event trigger, so this is asked after all of them.
 */
function alike(live: TableFacts, table: FinishedTable, survey: Survey): string {
  const name = `${live.schema}.${live.table}`;
  const sum = survey.likeness.find(({ oid }) => oid === live.oid)?.sum ?? '';
  return raiseWhen(
    NOT_ALIKE,
    `${name} would not be what it was`,
    `SELECT CASE WHEN a.sum <> ${literal(sum)} THEN pg_catalog.json_build_object('table', ${literal(name)}, 'lines', a.lines) END FROM (${likenessSql(String(table.oid))}) a`,
  );
}

function out(live: TableFacts, old: string): string[] {
  const serials = live.sequences.filter((each) => each.kind === 'serial');
  return [
    ...serials.map((each) => `ALTER SEQUENCE ${qualified(each.schema, each.name)} OWNED BY NONE`),
    ...live.statistics.map(
      (each) => `ALTER STATISTICS ${qualified(each.schema, each.name)} SET SCHEMA ${ident(old)}`,
    ),
    `ALTER TABLE ${qualified(live.schema, live.table)} SET SCHEMA ${ident(old)}`,
  ];
}

function renameKey(each: Dependent): string[] {
  if (each.kind !== 'foreign key') return [];
  const alter = `ALTER TABLE ${qualified(each.schema, each.table)}`;
  return [
    `${alter} DROP CONSTRAINT ${ident(each.name)}`,
    `${alter} RENAME CONSTRAINT ${ident(swapName(each.name))} TO ${ident(each.name)}`,
    ...(each.comment === null
      ? []
      : [
          `COMMENT ON CONSTRAINT ${ident(each.name)} ON ${qualified(each.schema, each.table)} IS ${literal(each.comment)}`,
        ]),
  ];
}
