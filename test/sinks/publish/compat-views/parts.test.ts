import assert from 'node:assert/strict';
import { test } from 'node:test';
import { undoViewParts, viewParts } from '../../../../sinks/publish/compat-views/index.js';
import { writeThrough } from '../../../../sinks/publish/compat-views/write-through.js';
import { closeSchemas } from '../../../../src/db/close.js';

test('a view in the place of a table: the table moves out, the view gets its name and its grants', () => {
  const [part] = viewParts(
    [
      {
        view: { name: 'old "t"', select: 'SELECT a FROM "v2"."n"', replaces: true, defaults: { a: '0' } },
        schema: 'app',
        table: {
          oid: 7,
          owner: 'app_owner',
          grants: [
            { grantee: null, privilege: 'SELECT', grantable: false, column: 'a' },
            { grantee: 'clerk', privilege: 'UPDATE', grantable: true, column: null },
          ],
        },
      },
    ],
    '12',
    'v1 of it’s',
  );
  assert.deepEqual(part?.locks, [{ schema: 'app', table: 'old "t"', mode: 'ACCESS EXCLUSIVE' }]);
  assert.deepEqual(part?.rechecks, [
    `DO $sluice$ BEGIN IF pg_catalog.to_regclass('"app"."old ""t"""')::oid IS DISTINCT FROM 7::oid THEN RAISE EXCEPTION USING ERRCODE = 'SL001', MESSAGE = '"app"."old ""t""" is not what it was when it was looked at'; END IF; END $sluice$`,
  ]);
  assert.deepEqual(part?.out, [
    'CREATE SCHEMA "sluice_compat_12"',
    closeSchemas(['sluice_compat_12'], ['schema']),
    'ALTER TABLE "app"."old ""t""" SET SCHEMA "sluice_compat_12"',
  ]);
  assert.deepEqual(part?.after.slice(1), [
    'CREATE VIEW "app"."old ""t""" AS\nSELECT a FROM "v2"."n"',
    `COMMENT ON VIEW "app"."old ""t""" IS 'v1 of it’s'`,
    'ALTER VIEW "app"."old ""t""" ALTER COLUMN "a" SET DEFAULT 0',
    'GRANT SELECT, INSERT, UPDATE, DELETE ON "app"."old ""t""" TO "app_owner"',
    'GRANT SELECT ("a") ON "app"."old ""t""" TO PUBLIC',
    'GRANT UPDATE ON "app"."old ""t""" TO "clerk" WITH GRANT OPTION',
    closeSchemas(['sluice_compat_12'], ['functions']),
  ]);
});

test('a view with writes of its own has one function, run with the rights of the publishing role', () => {
  const [, part] = viewParts(
    ['a', 'b'].map((name) => ({
      view: { name, select: 'SELECT 1 AS id', replaces: false, update: 'PERFORM 1;', remove: 'PERFORM 2;' },
      schema: 'public',
      table: undefined,
    })),
    '3',
    'v1',
  );
  assert.deepEqual(part?.out, []);
  assert.deepEqual(part?.after.slice(2), [
    'CREATE FUNCTION "sluice_compat_3"."b_write"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $sluice$\nBEGIN\n' +
      "IF TG_OP = 'UPDATE' THEN\n  PERFORM 1;\n  RETURN NEW;\nEND IF;\nIF TG_OP = 'DELETE' THEN\n  PERFORM 2;\n  RETURN OLD;\nEND IF;\nRETURN NULL;\nEND $sluice$",
    'CREATE TRIGGER sluice_write INSTEAD OF UPDATE OR DELETE ON "public"."b" FOR EACH ROW EXECUTE FUNCTION "sluice_compat_3"."b_write"()',
    'CREATE TRIGGER sluice_use AFTER UPDATE OR DELETE ON "public"."b" FOR EACH STATEMENT EXECUTE FUNCTION "sluice_compat_3"."note_use"(\'public\', \'b\')',
    closeSchemas(['sluice_compat_3'], ['functions']),
  ]);
});

test('the way back drops the views and puts the tables under their names', () => {
  const parts = undoViewParts(
    [
      { schema: 'public', name: 'a', oid: 1, kept: 2, writes: true },
      { schema: 'public', name: 'b', oid: 3, kept: null, writes: false },
    ],
    '3',
  );
  assert.deepEqual(
    parts.map((part) => part.after),
    [
      [
        'DROP VIEW "public"."a"',
        'DROP FUNCTION "sluice_compat_3"."a_write"()',
        'ALTER TABLE "sluice_compat_3"."a" SET SCHEMA "public"',
      ],
      ['DROP VIEW "public"."b"', 'DROP FUNCTION "sluice_compat_3"."note_use"()'],
    ],
  );
  assert.deepEqual(
    parts.flatMap((part) => part.locks),
    [{ schema: 'sluice_compat_3', table: 'a', mode: 'ACCESS EXCLUSIVE' }],
  );
});

test('an update through a view writes the columns that were changed, and no others', () => {
  assert.equal(
    writeThrough('"v2"."n"', { id: 'id', dueDate: 'due_date' }),
    `UPDATE "v2"."n" t SET "id" = CASE WHEN NEW."id" IS DISTINCT FROM OLD."id" THEN NEW."id" ELSE t."id" END, "due_date" = CASE WHEN NEW."dueDate" IS DISTINCT FROM OLD."dueDate" THEN NEW."dueDate" ELSE t."due_date" END WHERE t."id" = OLD."id";
  IF NOT FOUND THEN RETURN NULL; END IF;`,
  );
});
