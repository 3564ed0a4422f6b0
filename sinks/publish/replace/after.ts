import type { CodeFacts, PolicyFacts, TableFacts } from '../../../src/db/catalog/facts.js';
import { ident, literal, qualified, value } from '../../../src/db/quote.js';
import { anonymousBlock } from '../window.js';
import type { FinishedTable } from './finish.js';
import { grantStatements } from './grants.js';
import type { StagingNames } from './names.js';

/** Triggers and rules as before, switched on or off as before. Pure. */
export function codeStatements(live: TableFacts): string[] {
  const table = qualified(live.schema, live.table);
  const each = (kind: 'TRIGGER' | 'RULE') => (code: CodeFacts) => {
    const name = ident(code.name);
    const how = { D: 'DISABLE', R: 'ENABLE REPLICA', A: 'ENABLE ALWAYS' }[code.enabled];
    return [
      code.definition.trim().replace(/;$/, ''),
      ...(how === undefined ? [] : [`ALTER TABLE ${table} ${how} ${kind} ${name}`]),
      ...(code.comment === null
        ? []
        : [`COMMENT ON ${kind} ${name} ON ${table} IS ${literal(code.comment)}`]),
      ...(code.constraintComment == null
        ? []
        : [`COMMENT ON CONSTRAINT ${name} ON ${table} IS ${literal(code.constraintComment)}`]),
    ];
  };
  return [...live.triggers.flatMap(each('TRIGGER')), ...live.rules.flatMap(each('RULE'))];
}

/** Row-level security as before. Pure. */
export function securityStatements(live: TableFacts): string[] {
  const table = qualified(live.schema, live.table);
  const policy = (each: PolicyFacts) => [
    [
      `CREATE POLICY ${ident(each.name)} ON ${table} AS ${each.permissive ? 'PERMISSIVE' : 'RESTRICTIVE'}`,
      `FOR ${each.command} TO ${each.roles.map((name) => (name === null ? 'PUBLIC' : ident(name))).join(', ')}`,
      ...(each.using === null ? [] : [`USING (${each.using})`]),
      ...(each.check === null ? [] : [`WITH CHECK (${each.check})`]),
    ].join(' '),
    ...(each.comment === null
      ? []
      : [`COMMENT ON POLICY ${ident(each.name)} ON ${table} IS ${literal(each.comment)}`]),
  ];
  return [
    ...live.policies.flatMap(policy),
    ...(live.rowSecurity ? [`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`] : []),
    ...(live.forceRowSecurity ? [`ALTER TABLE ${table} FORCE ROW LEVEL SECURITY`] : []),
  ];
}

/**
 * Sequences after the move. An identity's new sequence takes the old one's position, read under the lock;
 * a serial's is tied to the new column. Either is moved past what was loaded; the serial's by ALTER
 * SEQUENCE, which a rollback undoes, where setval would not. Pure.
 */
export function sequenceStatements(live: TableFacts, table: FinishedTable, schemas: StagingNames): string[] {
  return live.sequences.flatMap((sequence) => {
    const name = qualified(sequence.schema, sequence.name);
    const reached = table.reached[`${sequence.schema}.${sequence.name}`];
    const down = sequence.increment.startsWith('-');
    const beyond = `last_value ${down ? '>' : '<'} ${reached} OR (last_value = ${reached} AND NOT is_called)`;
    if (sequence.kind === 'identity') {
      const old = qualified(schemas.old, sequence.name);
      const at =
        reached === undefined ? 'last_value' : `CASE WHEN ${beyond} THEN ${reached} ELSE last_value END`;
      const called = reached === undefined ? 'is_called' : `(${beyond}) OR is_called`;
      return [
        `SELECT pg_catalog.setval(${literal(name)}, ${at}, ${called}) FROM ${old}`,
        ...grantStatements(`SEQUENCE ${name}`, live.owner, sequence.grants, sequence.grantsAreDefault),
      ];
    }
    const owned = `${qualified(live.schema, live.table)}.${ident(sequence.column)}`;
    const next = reached === undefined ? undefined : BigInt(reached) + BigInt(sequence.increment);
    const fits = next !== undefined && next <= BigInt(sequence.max) && next >= BigInt(sequence.min);
    const move = anonymousBlock(
      `IF (SELECT ${beyond} FROM ${name}) THEN ALTER SEQUENCE ${name} RESTART WITH ${next}; END IF;`,
    );
    return [
      ...(sequence.kind === 'serial' ? [`ALTER SEQUENCE ${name} OWNED BY ${owned}`] : []),
      ...(fits ? [move] : []),
    ];
  });
}

/** Comments on foreign keys that came in with the table. Pure. */
export function keyComments(live: TableFacts): string[] {
  return live.constraints
    .filter((key) => key.type === 'f' && key.comment !== null)
    .map(
      (key) =>
        `COMMENT ON CONSTRAINT ${ident(key.name)} ON ${qualified(live.schema, live.table)} IS ${value(key.comment)}`,
    );
}
