import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recompile, repointDependent } from '../../../../sinks/publish/replace/dependents-sql.js';
import { grantStatements } from '../../../../sinks/publish/replace/grants.js';
import { orphanSql } from '../../../../sinks/publish/replace/keys.js';
import { schemasFor, swapName } from '../../../../sinks/publish/replace/names.js';
import { optionChanges } from '../../../../sinks/publish/replace/reconcile.js';
import { refusalsFor } from '../../../../sinks/publish/replace/refusals.js';
import type { Dependent } from '../../../../src/db/catalog/dependents.js';
import type { Grant } from '../../../../src/db/catalog/facts.js';

const grant = (
  grantor: string,
  grantee: string | null,
  privilege: string,
  over: Partial<Grant> = {},
): Grant => ({
  grantor,
  grantee,
  privilege,
  grantable: false,
  column: null,
  ...over,
});

test('grants: a grantor acts after it was given the right to, columns and PUBLIC included', () => {
  const statements = grantStatements(
    'TABLE a.b',
    'owner',
    [
      grant('agent', 'guest', 'SELECT'),
      grant('owner', 'owner', 'SELECT'),
      grant('owner', 'agent', 'SELECT', { grantable: true }),
      grant('owner', 'agent', 'UPDATE', { grantable: true, column: 'x "y"' }),
      grant('owner', null, 'TRIGGER'),
    ],
    false,
  );
  assert.deepEqual(statements, [
    'REVOKE ALL ON TABLE a.b FROM "owner"',
    'GRANT SELECT ON TABLE a.b TO "owner"',
    'GRANT SELECT, UPDATE ("x ""y""") ON TABLE a.b TO "agent" WITH GRANT OPTION',
    'GRANT TRIGGER ON TABLE a.b TO PUBLIC',
    'SET LOCAL ROLE "agent"',
    'GRANT SELECT ON TABLE a.b TO "guest"',
    'RESET ROLE',
  ]);
});

const about = { targets: [1], label: 'x', owner: 'o', owned: true };

test('dependents are pointed anew with their options', () => {
  const view: Dependent = {
    ...about,
    kind: 'view',
    schema: 's',
    name: 'v',
    definition: ' SELECT 1;',
    mayCreate: true,
    temporary: false,
    options: ['security_barrier=true', 'check_option=local'],
  };
  assert.deepEqual(repointDependent(view), [
    `CREATE OR REPLACE VIEW "s"."v" WITH ("security_barrier"='true', "check_option"='local') AS SELECT 1`,
  ]);
  const policy: Dependent = {
    ...about,
    kind: 'policy',
    schema: 's',
    table: 't',
    name: 'p',
    using: '(true)',
    check: null,
  };
  assert.deepEqual(repointDependent(policy), ['ALTER POLICY "p" ON "s"."t" USING ((true))']);
  const rule: Dependent = {
    ...about,
    kind: 'rule',
    schema: 's',
    table: 't',
    name: 'r',
    on: 'r',
    definition: 'CREATE RULE r AS ON INSERT TO s.t DO NOTHING;',
  };
  assert.deepEqual(repointDependent(rule), ['CREATE OR REPLACE RULE r AS ON INSERT TO s.t DO NOTHING']);
  const routine = {
    target: 1,
    signature: 's.f(integer)',
    cost: '42',
    securityDefiner: true,
    owned: true,
    rowType: true,
  };
  assert.equal(recompile({ ...routine, kind: 'f' }), 'ALTER FUNCTION s.f(integer) COST 42');
  assert.equal(recompile({ ...routine, kind: 'p' }), 'ALTER PROCEDURE s.f(integer) SECURITY DEFINER');
});

test('an unknown kind of dependent is refused, by name', () => {
  const other: Dependent = {
    ...about,
    label: 'gadget g',
    kind: 'other',
    part: 'index',
    catalog: 'pg_gadget',
  };
  const [refusal] = refusalsFor([], [other], [], []);
  assert.equal(refusal?.object, 'gadget g');
  assert.match(refusal?.reason ?? '', /not known to survive \(pg_gadget\)/);
});

test('names: a long key keeps within 63 bytes and apart from its neighbour; schemas are one per live schema', () => {
  assert.equal(swapName('fk'), 'fk__swap');
  const [a, b] = ['a', 'b'].map((end) => swapName('ä'.repeat(30) + end));
  assert.notEqual(a, b);
  for (const name of [a, b]) assert.ok(Buffer.byteLength(name ?? '') <= 63, name);
  const schemas = schemasFor([{ schema: 'x' }, { schema: 'y' }, { schema: 'x' }], { staging: 'n', old: 'o' });
  assert.deepEqual(
    [...schemas],
    [
      ['x', { staging: 'n', old: 'o' }],
      ['y', { staging: 'n_2', old: 'o_2' }],
    ],
  );
});

test('orphans are counted by every column of the key', () => {
  const key = {
    name: 'k',
    staged: 'k',
    on: { schema: 's', table: 'c' },
    parent: { schema: 's', table: 'p' },
    onLive: 's.c',
    parentLive: 's.p',
    definition: '',
    validate: true,
    enforced: true,
    comment: null,
    index: null,
    distribution: null,
  };
  const { sql } = orphanSql(key, {
    parent_schema: 's',
    parent_table: 'p',
    mine: ['a', 'b'],
    theirs: ['x', 'y'],
  });
  assert.equal(
    sql,
    'SELECT count(*) AS count FROM ONLY "s"."c" c WHERE c."a" IS NOT NULL AND c."b" IS NOT NULL AND NOT EXISTS (SELECT FROM ONLY "s"."p" p WHERE p."x" = c."a" AND p."y" = c."b")',
  );
});

test('options: set what differs, reset what live has not', () => {
  assert.deepEqual(
    optionChanges(
      'ALTER TABLE t',
      ['fillfactor=70', 'same=1'],
      ['same=1', 'gone=2', 'fillfactor=90'],
      'toast.',
    ),
    [`ALTER TABLE t SET (toast."fillfactor"='70')`, 'ALTER TABLE t RESET (toast."gone")'],
  );
});
