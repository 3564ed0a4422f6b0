import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closeSchemas } from '../../src/db/close.js';

test('a schema is closed to everybody but its owner by one statement, whatever its name', () => {
  assert.equal(
    closeSchemas(["it's"], ['schema']),
    "DO 'DECLARE sluice_each record; BEGIN FOR sluice_each IN WITH ours AS (SELECT * FROM pg_catalog.pg_namespace WHERE nspname::pg_catalog.text = ANY (ARRAY[''it''''s'']::pg_catalog.text[])) SELECT DISTINCT f.object, CASE WHEN f.grantee = 0 THEN ''PUBLIC'' ELSE pg_catalog.format(''%I'', r.rolname) END AS role FROM (SELECT pg_catalog.format(''SCHEMA %I'', n.nspname) AS object, n.nspowner AS owner, a.grantee FROM ours n CROSS JOIN LATERAL pg_catalog.aclexplode(n.nspacl) a) f(object, owner, grantee) LEFT JOIN pg_catalog.pg_roles r ON r.oid = f.grantee WHERE f.grantee <> f.owner ORDER BY 1, 2 LOOP EXECUTE pg_catalog.format(''REVOKE ALL ON %s FROM %s CASCADE'', sluice_each.object, sluice_each.role); END LOOP; END'",
  );
});
