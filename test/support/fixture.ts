import type { TestDatabase } from './database.js';

/** Roles are the server's, not a database's: made once, kept, and of no rights outside a fixture. */
const ROLES = ['fx_owner', 'fx_reader', 'fx_granter', 'fx_guest'];

const MAKE_ROLE = (name: string) => `DO $$ BEGIN CREATE ROLE ${name};
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`;

export const LONG = 'a_foreign_key_whose_name_is_so_long_that_sixty_bytes_are_used';

/** One of everything that a swap can lose. `shop.customers`, `shop.orders` and `shop."Order Lines"` are to be replaced. */
const FIXTURE = `
CREATE SCHEMA shop AUTHORIZATION fx_owner;
CREATE SCHEMA reports AUTHORIZATION fx_owner;
GRANT USAGE ON SCHEMA shop TO fx_reader, fx_granter, fx_guest;
SET ROLE fx_owner;
SET search_path = shop;
CREATE TABLE regions (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO regions VALUES (1, 'north'), (2, 'south');
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE DOMAIN money2 AS numeric(10,2) CHECK (VALUE >= 0);

CREATE TABLE customers (
  id bigint GENERATED ALWAYS AS IDENTITY (START WITH 100 INCREMENT BY 10 MAXVALUE 1000000 CACHE 1) PRIMARY KEY,
  email text COLLATE "C" NOT NULL CONSTRAINT customers_email_key UNIQUE,
  gone text,
  mood mood DEFAULT 'good'::mood,
  since date DEFAULT CURRENT_DATE NOT NULL
);
ALTER TABLE customers DROP COLUMN gone;
INSERT INTO customers (email) SELECT 'c' || n FROM generate_series(1, 5) n;
ALTER SEQUENCE customers_id_seq RENAME TO customer_numbers;
COMMENT ON SEQUENCE customer_numbers IS 'identity''s own';
GRANT USAGE, SELECT ON SEQUENCE customer_numbers TO fx_reader;

CREATE TABLE orders (
  id serial PRIMARY KEY,
  customer_id bigint NOT NULL,
  region_id int REFERENCES regions ON UPDATE CASCADE,
  parent_id int CONSTRAINT orders_parent REFERENCES orders ON DELETE SET NULL,
  total money2 NOT NULL DEFAULT 0,
  tax numeric GENERATED ALWAYS AS (total * 0.19) STORED,
  code varchar(20) NOT NULL,
  note text,
  tags text[] DEFAULT ARRAY['x'::text],
  during int4range,
  state "char" DEFAULT 'n',
  owner_name text DEFAULT CURRENT_USER,
  CONSTRAINT positive CHECK (total >= 0),
  CONSTRAINT code_form CHECK (code ~ '^[A-Z]'),
  CONSTRAINT one_code UNIQUE (code) DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT no_overlap EXCLUDE USING gist (during WITH &&) WHERE (state = 'r')
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, toast.autovacuum_enabled = off);
ALTER TABLE orders ADD CONSTRAINT to_customer FOREIGN KEY (customer_id) REFERENCES customers ON DELETE CASCADE DEFERRABLE;
ALTER TABLE orders ADD CONSTRAINT note_short CHECK (length(note) < 1000) NOT VALID;
ALTER TABLE orders ALTER note SET STORAGE EXTERNAL, ALTER note SET COMPRESSION pglz, ALTER code SET STATISTICS 500,
  ALTER code SET (n_distinct = -0.5);
CREATE UNIQUE INDEX orders_ident ON orders (customer_id, id);
ALTER TABLE orders REPLICA IDENTITY USING INDEX orders_ident;
CREATE INDEX orders_lower ON orders (lower(code) text_pattern_ops DESC, (total + 1)) INCLUDE (note) WITH (fillfactor = 60) WHERE state <> 'x';
ALTER INDEX orders_lower ALTER COLUMN 2 SET STATISTICS 300;
CREATE INDEX orders_tags ON orders USING gin (tags);
CREATE UNIQUE INDEX orders_nulls ON orders (region_id, code) NULLS NOT DISTINCT;
CLUSTER orders USING orders_pkey;
CREATE STATISTICS orders_stats (dependencies, ndistinct) ON customer_id, region_id FROM orders;
CREATE STATISTICS orders_expr ON (total * 2) FROM orders;
ALTER STATISTICS orders_stats SET STATISTICS 400;
COMMENT ON STATISTICS orders_stats IS 'two columns';
COMMENT ON TABLE orders IS 'What they ordered; it''s the point';
COMMENT ON COLUMN orders.total IS 'net';
COMMENT ON CONSTRAINT orders_pkey ON orders IS 'the key';
COMMENT ON CONSTRAINT positive ON orders IS 'no refunds';
COMMENT ON CONSTRAINT to_customer ON orders IS 'outbound';
COMMENT ON INDEX orders_lower IS 'search';
INSERT INTO orders (customer_id, region_id, code, total, note)
  SELECT 100 + 10 * (n % 5), 1 + n % 2, 'A' || n, n, repeat('n', n) FROM generate_series(1, 20) n;
UPDATE orders SET parent_id = id - 1 WHERE id > 1;

CREATE TABLE "Order Lines" (
  "order" int NOT NULL CONSTRAINT "Lines To Orders" REFERENCES orders ON DELETE CASCADE,
  "Line No" smallint NOT NULL,
  "select" text,
  CONSTRAINT "Order Lines Key" PRIMARY KEY ("order", "Line No")
);
INSERT INTO "Order Lines" SELECT id, 1, 'l' FROM orders;

CREATE TABLE shipments (id int PRIMARY KEY, order_id int NOT NULL, other_id int, CONSTRAINT "ship of order" FOREIGN KEY (order_id) REFERENCES orders ON DELETE CASCADE);
ALTER TABLE shipments ADD CONSTRAINT ${LONG} FOREIGN KEY (other_id) REFERENCES orders (id) NOT VALID;
COMMENT ON CONSTRAINT "ship of order" ON shipments IS 'inbound';
INSERT INTO shipments SELECT id, id FROM orders WHERE id < 5;

CREATE VIEW big WITH (security_barrier, check_option = 'cascaded') AS SELECT id, code, total FROM orders WHERE total > 3;
ALTER VIEW big ALTER COLUMN total SET DEFAULT 9;
COMMENT ON VIEW big IS 'barrier';
COMMENT ON COLUMN big.code IS 'view column';
GRANT SELECT ON big TO fx_reader;
CREATE VIEW invoked WITH (security_invoker = true) AS SELECT o.id, c.email, row_to_json(o) AS whole FROM orders o JOIN customers c ON c.id = o.customer_id;
CREATE VIEW nested AS SELECT count(*) AS n, sum(total) AS total FROM big;
CREATE VIEW reports.grouped AS SELECT id, code, 'shop.orders'::regclass AS source FROM orders GROUP BY id;
CREATE MATERIALIZED VIEW reports.totals AS SELECT * FROM nested;
CREATE VIEW on_totals AS SELECT n + 1 AS n FROM reports.totals;

CREATE FUNCTION order_count() RETURNS bigint LANGUAGE sql STABLE BEGIN ATOMIC SELECT count(*) FROM orders; END;
CREATE FUNCTION order_note(wanted int) RETURNS text LANGUAGE plpgsql COST 42 AS $$
DECLARE o shop.orders%ROWTYPE; BEGIN SELECT * INTO o FROM shop.orders WHERE id = wanted; RETURN o.note; END $$;
CREATE PROCEDURE touch_orders() LANGUAGE plpgsql SECURITY DEFINER AS $$ DECLARE o shop.orders; BEGIN SELECT * INTO o FROM shop.orders LIMIT 1; END $$;
CREATE TABLE log (at timestamptz DEFAULT now(), what text);
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO shop.log(what) VALUES (TG_NAME); RETURN NULL; END $$;
CREATE TRIGGER after_change AFTER INSERT OR UPDATE OF total, note ON orders FOR EACH ROW WHEN (NEW.total > 1000) EXECUTE FUNCTION note_change('an arg');
CREATE TRIGGER always_on AFTER DELETE ON orders REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION note_change();
CREATE TRIGGER switched_off AFTER TRUNCATE ON orders EXECUTE FUNCTION note_change();
CREATE CONSTRAINT TRIGGER checked_late AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.total > 5000) EXECUTE FUNCTION note_change();
ALTER TABLE orders ENABLE ALWAYS TRIGGER always_on;
ALTER TABLE orders DISABLE TRIGGER switched_off;
ALTER TABLE orders ENABLE REPLICA TRIGGER checked_late;
COMMENT ON TRIGGER after_change ON orders IS 'trigger';
CREATE RULE quiet AS ON DELETE TO orders WHERE old.code = 'KEEP' DO ALSO INSERT INTO log(what) VALUES ('kept');
CREATE RULE off AS ON UPDATE TO orders WHERE old.code = 'NEVER' DO INSTEAD NOTHING;
ALTER TABLE orders DISABLE RULE off;
COMMENT ON RULE quiet ON orders IS 'rule';

ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
ALTER TABLE customers FORCE ROW LEVEL SECURITY;
CREATE POLICY everything ON customers FOR ALL TO fx_owner USING (true) WITH CHECK (true);
CREATE POLICY mine ON orders AS PERMISSIVE FOR SELECT TO fx_reader, fx_guest USING (region_id = 1 AND EXISTS (SELECT FROM shop.regions r WHERE r.id = region_id));
CREATE POLICY not_x ON orders AS RESTRICTIVE FOR ALL TO PUBLIC USING (state <> 'x') WITH CHECK (state <> 'y');
COMMENT ON POLICY mine ON orders IS 'policy';

CREATE TABLE audit (order_id int, what text);
ALTER TABLE audit ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON audit TO fx_reader;
CREATE POLICY of_known ON audit FOR SELECT TO fx_reader USING (EXISTS (SELECT FROM orders o WHERE o.id = order_id AND o.total > 2));
CREATE RULE copy AS ON INSERT TO log WHERE new.what = 'count' DO ALSO INSERT INTO audit SELECT count(*)::int, 'orders' FROM orders;
CREATE VIEW ruled AS SELECT 1 AS one;
CREATE RULE ins AS ON INSERT TO ruled DO INSTEAD UPDATE orders SET note = 'ruled' WHERE id = new.one;

GRANT SELECT, INSERT ON orders TO fx_granter WITH GRANT OPTION;
GRANT UPDATE (note, code) ON orders TO fx_reader WITH GRANT OPTION;
GRANT SELECT ON customers TO fx_reader;
GRANT SELECT ON regions TO fx_reader;
GRANT TRIGGER ON customers TO PUBLIC;
REVOKE TRUNCATE ON orders FROM fx_owner;
RESET ROLE;
SET ROLE fx_granter;
GRANT SELECT ON shop.orders TO fx_guest;
GRANT SELECT ON shop.orders TO fx_reader WITH GRANT OPTION;
RESET ROLE;
SET ROLE fx_reader;
GRANT UPDATE (note) ON shop.orders TO fx_guest;
RESET ROLE;
ALTER DEFAULT PRIVILEGES FOR ROLE fx_owner GRANT SELECT ON TABLES TO PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE fx_owner GRANT ALL ON SEQUENCES TO fx_guest;
RESET search_path;
`;

/** What only newer servers have. */
const FROM_18 = `
SET ROLE fx_owner;
ALTER TABLE shop.orders ADD COLUMN double_total numeric GENERATED ALWAYS AS (region_id * 2) VIRTUAL;
ALTER TABLE shop.orders ADD COLUMN late text;
UPDATE shop.orders SET late = 'set';
ALTER TABLE shop.orders ADD CONSTRAINT late_known NOT NULL late NOT VALID;
ALTER TABLE shop.orders RENAME CONSTRAINT orders_code_not_null TO "code is there";
COMMENT ON CONSTRAINT "code is there" ON shop.orders IS 'named not null';
ALTER TABLE shop.orders ADD CONSTRAINT wished CHECK (total < 100000) NOT ENFORCED;
RESET ROLE;
`;

export const TARGETS = [
  { schema: 'shop', table: 'customers' },
  { schema: 'shop', table: 'orders' },
  { schema: 'shop', table: 'Order Lines' },
] as const;

/** Makes the fixture in an empty database. */
export async function makeFixture(database: TestDatabase): Promise<{ version: number }> {
  const client = await database.connect();
  for (const name of ROLES) await client.query(MAKE_ROLE(name));
  await client.query(FIXTURE);
  const version = Number((await client.query('SHOW server_version_num')).rows[0].server_version_num);
  if (version >= 180000) await client.query(FROM_18);
  await client.end();
  return { version };
}

const visible = (column: string) => `${column} !~ '^(pg_|sluice)' AND ${column} <> 'information_schema'`;

/**
 * Every catalog fact outside system and staging schemas as lines of text, by names instead of OIDs, written
 * apart from the product's own reading so that neither is its own judge.
 */
export const FACTS = `
WITH rel AS (SELECT c.*, n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${visible('n.nspname')}),
acl AS (
  SELECT 'acl ' || nspname || '.' || relname || ' ' || pg_get_userbyid(x.grantor) || '>' || CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(x.grantee) END || ' ' || privilege_type || ' ' || is_grantable AS line
    FROM rel, aclexplode(coalesce(relacl, acldefault(CASE relkind WHEN 'S' THEN 'S' ELSE 'r' END::"char", relowner))) x WHERE relkind IN ('r','v','m','S')
  UNION ALL SELECT 'acl ' || nspname || '.' || relname || '.' || attname || ' ' || pg_get_userbyid(x.grantor) || '>' || CASE x.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(x.grantee) END || ' ' || privilege_type || ' ' || is_grantable
    FROM rel JOIN pg_attribute a ON a.attrelid = rel.oid, aclexplode(a.attacl) x)
SELECT line FROM acl
UNION ALL SELECT concat_ws(' ', 'rel', nspname, relname, relkind, relpersistence, pg_get_userbyid(relowner), reloptions, relreplident, relrowsecurity, relforcerowsecurity, reltablespace, relam, (SELECT reloptions FROM pg_class t WHERE t.oid = rel.reltoastrelid)) FROM rel
UNION ALL SELECT concat_ws(' ', 'col', nspname, relname, a.attname, row_number() OVER (PARTITION BY rel.oid ORDER BY attnum), format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated, attstorage, attcompression, attstattarget, attoptions, attcollation, pg_get_expr(adbin, adrelid))
  FROM rel JOIN pg_attribute a ON a.attrelid = rel.oid AND attnum > 0 AND NOT attisdropped LEFT JOIN pg_attrdef d ON adrelid = attrelid AND adnum = attnum
UNION ALL SELECT concat_ws(' ', 'con', nspname, relname, conname, contype, pg_get_constraintdef(k.oid), convalidated, condeferrable, condeferred, confrelid::regclass) FROM rel JOIN pg_constraint k ON conrelid = rel.oid
UNION ALL SELECT concat_ws(' ', 'idx', pg_get_indexdef(indexrelid), indisvalid, indisclustered, indisreplident, indisprimary, indimmediate) FROM rel JOIN pg_index ON indrelid = rel.oid
UNION ALL SELECT concat_ws(' ', 'trg', nspname, relname, regexp_replace(tgname, '[0-9]+$', '#'), CASE WHEN NOT tgisinternal THEN pg_get_triggerdef(t.oid) END, tgenabled, tgfoid::regproc, tgconstrrelid::regclass, (SELECT conname FROM pg_constraint k WHERE k.oid = tgconstraint)) FROM rel JOIN pg_trigger t ON tgrelid = rel.oid
UNION ALL SELECT concat_ws(' ', 'rule', pg_get_ruledef(r.oid), ev_enabled) FROM rel JOIN pg_rewrite r ON ev_class = rel.oid
UNION ALL SELECT concat_ws(' ', 'pol', nspname, relname, polname, polcmd, polpermissive, polroles::text, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) FROM rel JOIN pg_policy ON polrelid = rel.oid
UNION ALL SELECT concat_ws(' ', 'fun', p.oid::regprocedure, pg_get_functiondef(p.oid), proacl, pg_get_userbyid(proowner)) FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE ${visible('n.nspname')} AND prokind IN ('f', 'p')
UNION ALL SELECT concat_ws(' ', 'stx', pg_get_statisticsobjdef(s.oid), stxstattarget, pg_get_userbyid(stxowner)) FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = stxnamespace WHERE ${visible('n.nspname')}
UNION ALL SELECT concat_ws(' ', 'seq', nspname, relname, seqtypid::regtype, seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle) FROM rel JOIN pg_sequence ON seqrelid = rel.oid
UNION ALL SELECT concat_ws(' ', 'def', defaclrole, defaclobjtype, defaclacl) FROM pg_default_acl
UNION ALL SELECT concat_ws(' ', 'rem', i.type, i.identity, description) FROM pg_description d, pg_identify_object(classoid, objoid, objsubid) i WHERE i.schema IS NULL OR ${visible('i.schema')}
UNION ALL SELECT DISTINCT regexp_replace(concat_ws(' ', 'dep', a.type, a.identity, deptype, b.type, b.identity), '(pg_toast_|ConstraintTrigger_([ac]_)?)[0-9]+', '\\1#', 'g')
  FROM pg_depend d, pg_identify_object(d.classid, d.objid, d.objsubid) a, pg_identify_object(d.refclassid, d.refobjid, d.refobjsubid) b
  WHERE d.objid >= 16384 AND a.identity !~ '(^|on |for )"?sluice' AND (a.schema IS NULL OR ${visible('a.schema')}) AND a.type NOT LIKE 'toast%' AND a.type <> 'default acl'
ORDER BY 1`;

/** The lines of FACTS, sorted. */
export async function factsOf(database: TestDatabase): Promise<string[]> {
  const client = await database.connect();
  await client.query("SET search_path = ''");
  const { rows } = await client.query<{ line: string }>(FACTS);
  await client.end();
  return rows.map((row) => row.line);
}

/** Lines of one list that the other lacks, marked - (lost) and + (new). */
export function changed(before: readonly string[], after: readonly string[]): string[] {
  const count = (lines: readonly string[]) => {
    const counts = new Map<string, number>();
    for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
    return counts;
  };
  const [a, b] = [count(before), count(after)];
  return [
    ...[...a].filter(([line, n]) => (b.get(line) ?? 0) < n).map(([line]) => `- ${line}`),
    ...[...b].filter(([line, n]) => (a.get(line) ?? 0) < n).map(([line]) => `+ ${line}`),
  ];
}
