import type { TableFacts } from '../../../src/db/catalog/facts.js';
import { closeSchemas } from '../../../src/db/close.js';
import { admit, openTo } from '../../../src/db/own-schemas.js';
import { ident, qualified, value } from '../../../src/db/quote.js';
import { identities } from './definitions.js';
import { alone } from './distributed.js';
import { optionChanges } from './reconcile.js';
import type { StagedTable } from './staging.js';

/**
 * What gives a staged table, whose structure is live's already, live's owner, storage options, comments, replica
 * identity, cluster mark, statistics targets and identity settings. Pure.
 */
export function dressStatements(live: TableFacts, have: TableFacts, staged: StagedTable): string[] {
  const statements = plainStatements(live, have, staged).map((sql) => alone(live, sql));
  // Whom something is given to must be able to create where it stands, and afterwards no more.
  const owners = [live, ...live.statistics].map(({ owner }) => owner);
  return statements.some((sql) => / OWNER TO /.test(sql))
    ? [
        ...openTo(staged.schema, owners),
        ...statements,
        closeSchemas([staged.schema], ['schema']),
        ...admit(staged.schema, owners),
      ]
    : statements;
}

function plainStatements(live: TableFacts, have: TableFacts, staged: StagedTable): string[] {
  const table = qualified(staged.schema, staged.table);
  const alter = `ALTER TABLE ${table}`;
  const statements = [
    ...(live.owner === have.owner ? [] : [`${alter} OWNER TO ${ident(live.owner)}`]),
    ...optionChanges(alter, live.options, have.options),
    ...optionChanges(alter, live.toastOptions, have.toastOptions, 'toast.'),
  ];
  const remark = (on: string, want: string | null, is: string | null | undefined) => {
    if (want !== (is ?? null)) statements.push(`COMMENT ON ${on} IS ${value(want)}`);
  };
  remark(`TABLE ${table}`, live.comment, have.comment);
  remark(`TYPE ${table}`, live.typeComment, have.typeComment);

  for (const want of live.constraints.filter((each) => each.type !== 'f')) {
    const is = have.constraints.find((each) => each.name === want.name);
    remark(`CONSTRAINT ${ident(want.name)} ON ${table}`, want.comment, is?.comment);
  }
  for (const want of live.indexes) {
    const is = have.indexes.find((each) => each.name === want.name);
    const index = qualified(staged.schema, want.name);
    remark(`INDEX ${index}`, want.comment, is?.comment);
    for (const [column, target] of want.statistics) {
      if (is?.statistics.some(([at, set]) => at === column && set === target)) continue;
      statements.push(`ALTER INDEX ${index} ALTER COLUMN ${column} SET STATISTICS ${target}`);
    }
    if (want.clustered && !is?.clustered) statements.push(`${alter} CLUSTER ON ${ident(want.name)}`);
    if (want.replicaIdentity && !is?.replicaIdentity) {
      statements.push(`${alter} REPLICA IDENTITY USING INDEX ${ident(want.name)}`);
    }
  }
  if (have.indexes.some((each) => each.clustered) && !live.indexes.some((each) => each.clustered)) {
    statements.push(`${alter} SET WITHOUT CLUSTER`);
  }
  const identity = { d: 'DEFAULT', n: 'NOTHING', f: 'FULL' }[live.replicaIdentity];
  if (identity !== undefined && live.replicaIdentity !== have.replicaIdentity) {
    statements.push(`${alter} REPLICA IDENTITY ${identity}`);
  }

  for (const want of live.statistics) {
    const is = have.statistics.find((each) => each.name === want.name);
    const object = qualified(is?.schema ?? staged.schema, want.name);
    remark(`STATISTICS ${object}`, want.comment, is?.comment);
    if (want.target !== is?.target)
      statements.push(`ALTER STATISTICS ${object} SET STATISTICS ${want.target}`);
    if (want.owner !== is?.owner) statements.push(`ALTER STATISTICS ${object} OWNER TO ${ident(want.owner)}`);
  }

  for (const want of identities(live)) {
    const is = identities(have).find((each) => each.column === want.column);
    if (is === undefined) continue;
    if (is.name !== want.name) {
      statements.push(`ALTER SEQUENCE ${qualified(is.schema, is.name)} RENAME TO ${ident(want.name)}`);
    }
    const sequence = qualified(is.schema, want.name);
    remark(`SEQUENCE ${sequence}`, want.comment, is.comment);
    const settings = (['start', 'increment', 'min', 'max', 'cache', 'cycle'] as const).some(
      (key) => want[key] !== is[key],
    );
    if (settings) {
      statements.push(
        `ALTER SEQUENCE ${sequence} START WITH ${want.start} INCREMENT BY ${want.increment} MINVALUE ${want.min} MAXVALUE ${want.max} CACHE ${want.cache} ${want.cycle ? 'CYCLE' : 'NO CYCLE'}`,
      );
    }
  }
  return statements;
}
