import { literal } from '../quote.js';
import { membersOf } from './members.js';

/**
 * When code of a table's owner would run: `written` where rows of the table itself are written (its triggers, rules and
 * index expressions run, too), `staged` where rows are written to a copy of it that has only its defaults, generated
 * columns and CHECKs.
 */
export type Written = 'written' | 'staged';

/** Roles of the server that reach what is outside the database, or give rights: no owner of a table should act as they. */
const POWERS = ['pg_execute_server_program', 'pg_write_server_files', 'pg_read_server_files'];

/** Whether the session's role could do harm that the owners of its tables cannot, as SQL. */
const POWERFUL = `(SELECT me.rolsuper OR me.rolcreaterole FROM pg_catalog.pg_roles me WHERE me.rolname = CURRENT_USER) OR EXISTS (SELECT FROM pg_catalog.pg_roles p WHERE p.rolname IN (${POWERS.map(literal).join(', ')}) AND pg_catalog.pg_has_role(p.oid, 'USAGE'))`;

/**
 * SQL of the lines that say which code of others would run with the session's rights when rows are written to the table
 * whose OID `oid` (an SQL expression) is: none where the session's role is not one that has powers beyond the database's
 * tables (superuser, CREATEROLE, POWERS). A function is trusted where it belongs to a superuser or to the session's own
 * role. SECURITY DEFINER does not count: who owns the function can take that off at any moment. Index builds, VACUUM,
 * ANALYZE and REFRESH are not here: the server runs them as the table's owner. Nor are cascades of foreign keys. Pure.
 */
export function ownersCodeSql(oid: string, how: Written, { triggers = true } = {}): string {
  const whole = how === 'written';
  const carriers = [
    `SELECT 'pg_catalog.pg_attrdef'::pg_catalog.regclass AS class, d.oid AS object, 'a default or generated column' AS what FROM pg_catalog.pg_attrdef d WHERE d.adrelid IN (SELECT m.oid FROM members m)`,
    `SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, y.oid, pg_catalog.format('the default of the domain %s', y.oid::pg_catalog.regtype) FROM pg_catalog.pg_type y WHERE y.typtype = 'd' AND y.typdefaultbin IS NOT NULL AND y.oid IN (SELECT a.atttypid FROM pg_catalog.pg_attribute a WHERE a.attrelid IN (SELECT m.oid FROM members m) AND NOT a.attisdropped)`,
    `SELECT 'pg_catalog.pg_constraint'::pg_catalog.regclass, k.oid, pg_catalog.format('the constraint %I', k.conname) FROM pg_catalog.pg_constraint k WHERE k.contype = 'c' AND k.conrelid IN (SELECT m.oid FROM members m) OR k.contypid IN (SELECT t.oid FROM used t)`,
    ...(whole
      ? [
          `SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, i.indexrelid, pg_catalog.format('the index %s', i.indexrelid::pg_catalog.regclass) FROM pg_catalog.pg_index i WHERE i.indrelid IN (SELECT m.oid FROM members m)`,
          `SELECT 'pg_catalog.pg_constraint'::pg_catalog.regclass, k.oid, pg_catalog.format('the constraint %I', k.conname) FROM pg_catalog.pg_constraint k WHERE k.contype = 'x' AND k.conrelid IN (SELECT m.oid FROM members m)`,
          `SELECT 'pg_catalog.pg_policy'::pg_catalog.regclass, p.oid, pg_catalog.format('the policy %I', p.polname) FROM pg_catalog.pg_policy p WHERE p.polrelid IN (SELECT m.oid FROM members m)`,
          `SELECT 'pg_catalog.pg_rewrite'::pg_catalog.regclass, w.oid, pg_catalog.format('the rule %I', w.rulename) FROM pg_catalog.pg_rewrite w WHERE w.ev_class IN (SELECT m.oid FROM members m)`,
          ...(triggers
            ? [
                `SELECT 'pg_catalog.pg_trigger'::pg_catalog.regclass, g.oid, pg_catalog.format('the trigger %I', g.tgname) FROM pg_catalog.pg_trigger g WHERE NOT g.tgisinternal AND g.tgenabled <> 'D' AND g.tgrelid IN (SELECT m.oid FROM members m)`,
              ]
            : []),
        ]
      : []),
  ];
  const used = `used(oid) AS (SELECT a.atttypid FROM pg_catalog.pg_attribute a WHERE a.attrelid IN (SELECT m.oid FROM members m) AND a.attnum > 0 AND NOT a.attisdropped UNION SELECT n.oid FROM used u JOIN pg_catalog.pg_type t ON t.oid = u.oid CROSS JOIN LATERAL (SELECT t.typbasetype AS oid UNION ALL SELECT t.typelem UNION ALL SELECT r.rngsubtype FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid OR r.rngmultitypid = t.oid UNION ALL SELECT a.atttypid FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.typrelid AND t.typrelid <> 0 AND a.attnum > 0 AND NOT a.attisdropped) n WHERE n.oid <> 0)`;
  const functions = `SELECT c.what, p.oid AS function, p.proowner AS owner FROM carriers c JOIN pg_catalog.pg_depend d ON d.classid = c.class AND d.objid = c.object LEFT JOIN pg_catalog.pg_operator o ON d.refclassid = 'pg_catalog.pg_operator'::pg_catalog.regclass AND o.oid = d.refobjid JOIN pg_catalog.pg_proc p ON d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND p.oid = d.refobjid OR p.oid = o.oprcode`;
  return `WITH RECURSIVE members(oid) AS (${membersOf(oid)}), ${used}, carriers AS (${carriers.join(' UNION ALL ')}), called AS (${functions}) SELECT DISTINCT pg_catalog.format('%s of %s calls %s, a function of %s', f.what, (${oid})::pg_catalog.regclass, f.function::pg_catalog.regprocedure, r.rolname) AS line FROM called f JOIN pg_catalog.pg_roles r ON r.oid = f.owner WHERE NOT r.rolsuper AND r.rolname <> CURRENT_USER AND (${POWERFUL})`;
}
