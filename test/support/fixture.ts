import type { TestDatabase } from './database.js';

/** Roles are the server's, not a database's: made once, kept, and of no rights outside a fixture. */
const ROLES = ['fx_owner', 'fx_reader', 'fx_granter', 'fx_guest'];

const MAKE_ROLE = (name: string) => `DO $$ BEGIN CREATE ROLE ${name};
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`;

const LONG = 'a_foreign_key_whose_name_is_so_long_that_sixty_bytes_are_used';

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
