import type { Query } from './database.js';

/**
 * What stands in the way of names that are looked up along a search_path: in the schema `public`, of everything in
 * pg_catalog that a statement can name, one of the same name. Who calls one is told by `called`. Each does what the
 * original does, so that whoever calls one goes on and calls the next.
 */
export async function shadowEverything(query: Query): Promise<void> {
  await query(EVERYTHING);
}

/** What somebody with CREATE on `public` can do to the usual path: the same names with types that fit better. */
export async function shadowByTypes(query: Query): Promise<void> {
  await query(BY_TYPES);
}

/** The shadows that have been called (since the server counts calls), each with how often. Not before sessions ended. */
export async function called(query: Query): Promise<string[]> {
  const rows = await query<{ what: string }>(
    `SELECT s.funcname || '(' || pg_catalog.pg_get_function_identity_arguments(s.funcid) || '): ' || s.calls AS what
     FROM pg_catalog.pg_stat_user_functions s WHERE s.schemaname OPERATOR(pg_catalog.=) 'public' ORDER BY 1`,
  );
  return rows.map(({ what }) => what);
}

/** Every object is tried: what cannot have a shadow (a pseudo-type, say) has none. */
const EVERYTHING = `
SET search_path = pg_catalog;
DO $do$
DECLARE r record; body text; args text; n int := 0;
BEGIN
  FOR r IN SELECT p.oid, p.proname, p.proretset, p.pronargs, p.prokind, p.provariadic,
      pg_get_function_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result, p.prorettype,
      (SELECT string_agg(CASE WHEN i = p.pronargs AND p.provariadic <> 0 THEN 'VARIADIC ' ELSE '' END || '$' || i, ', ' ORDER BY i) FROM generate_series(1, p.pronargs) i) AS passed
    FROM pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind IN ('f', 'a')
      AND p.prorettype <> 'internal'::regtype AND NOT 'internal'::regtype = ANY (p.proargtypes::oid[])
      AND NOT 'cstring'::regtype = ANY (p.proargtypes::oid[])
  LOOP
    BEGIN
      IF r.prokind = 'a' THEN
        n := n + 1;
        EXECUTE format('CREATE FUNCTION public.%I(%s) RETURNS %s LANGUAGE plpgsql AS $b$ BEGIN RAISE EXCEPTION %L; END $b$',
          r.proname || '_step_' || n, concat_ws(', ', replace(r.result, '"any"', 'anyelement'), nullif(replace(r.arguments, '"any"', 'anyelement'), '*')), r.result, 'the shadow of ' || r.proname);
        EXECUTE format('CREATE AGGREGATE public.%I(%s) (SFUNC = public.%I, STYPE = %s)', r.proname, CASE r.pronargs WHEN 0 THEN '*' ELSE replace(r.arguments, '"any"', 'anyelement') END, r.proname || '_step_' || n, r.result);
      ELSE
        body := CASE WHEN r.proretset THEN 'RETURN QUERY SELECT * FROM pg_catalog.%I(%s);' WHEN r.result = 'void' THEN 'PERFORM pg_catalog.%I(%s);' WHEN r.result = 'record' THEN 'SELECT * FROM pg_catalog.%I(%s);' ELSE 'RETURN pg_catalog.%I(%s);' END;
        EXECUTE format('CREATE FUNCTION public.%I(%s) RETURNS %s LANGUAGE plpgsql AS $b$ #variable_conflict use_column' || E'\\n' || 'BEGIN ' || format(body, r.proname, r.passed) || ' END $b$', r.proname, r.arguments, r.result);
      END IF;
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  END LOOP;
  FOR r IN SELECT o.oprname, o.oprleft, o.oprright, o.oprcode, p.proname
    FROM pg_operator o JOIN pg_proc p ON p.oid = o.oprcode WHERE o.oprnamespace = 'pg_catalog'::regnamespace
  LOOP
    BEGIN
      EXECUTE format('CREATE OPERATOR public.%s (%s RIGHTARG = %s, FUNCTION = public.%I)', r.oprname,
        CASE WHEN r.oprleft = 0 THEN '' ELSE 'LEFTARG = ' || format_type(r.oprleft, NULL) || ',' END, format_type(r.oprright, NULL), r.proname);
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  END LOOP;
  CREATE FUNCTION public.looked_up(what text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RETURN true; END';
  FOR r IN SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind IN ('r', 'v') LOOP
    BEGIN
      EXECUTE format('CREATE FUNCTION public.%I() RETURNS boolean LANGUAGE plpgsql AS %L', 'relation_' || r.relname, 'BEGIN RETURN true; END');
      EXECUTE format('CREATE VIEW public.%I AS SELECT * FROM pg_catalog.%I WHERE public.%I()', r.relname, r.relname, 'relation_' || r.relname);
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  END LOOP;
  FOR r IN SELECT t.typname, format_type(t.oid, NULL) AS type FROM pg_type t WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typtype IN ('b', 'r') AND t.typname !~ '^_' LOOP
    BEGIN
      EXECUTE format('CREATE FUNCTION public.%I(%s) RETURNS boolean LANGUAGE plpgsql AS %L', 'type_' || r.typname, r.type, 'BEGIN RETURN true; END');
      EXECUTE format('CREATE DOMAIN public.%I AS pg_catalog.%I CHECK (public.%I(VALUE))', r.typname, r.typname, 'type_' || r.typname);
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  END LOOP;
END $do$`;

const BY_TYPES = `
SET search_path = pg_catalog;
DO $do$
DECLARE
  types text[] := ARRAY['text', 'name', 'oid', 'regclass', 'integer', 'bigint', 'smallint', 'boolean', 'json', 'jsonb', '"char"', 'text[]', 'name[]', 'oid[]', 'smallint[]', 'int2vector', 'regproc', 'regtype', 'double precision', 'real', 'numeric', 'timestamptz', 'character varying', 'xid', 'tid', 'bytea', 'pg_lsn', 'inet'];
  few text[] := ARRAY['text', 'name', 'oid', 'integer', 'bigint', 'boolean', 'json', '"char"', 'text[]'];
  a text; b text; r record;
BEGIN
  FOREACH a IN ARRAY types LOOP
    FOR r IN SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind IN ('f', 'a') AND proname IN ('count', 'sum', 'min', 'max', 'array_agg', 'json_agg', 'jsonb_agg', 'string_agg', 'bool_or', 'bool_and', 'format', 'concat', 'set_config', 'current_setting', 'unnest', 'to_regclass', 'to_json', 'to_jsonb', 'json_build_object', 'json_build_array', 'jsonb_build_object', 'sha256', 'record_send', 'hashtext', 'left', 'right', 'length', 'md5', 'lower', 'quote_ident', 'format_type', 'pg_get_expr', 'pg_table_size', 'pg_backend_pid', 'array_position', 'array_to_string', 'cardinality', 'to_timestamp', 'abs', 'round', 'greatest', 'setval', 'nextval', 'pg_advisory_lock', 'pg_cancel_backend') LOOP
      BEGIN
        IF to_regprocedure(format('pg_catalog.%I(%s)', r.proname, a)) IS NULL THEN
          EXECUTE format('CREATE FUNCTION public.%I(%s) RETURNS %s LANGUAGE plpgsql AS ''BEGIN RETURN NULL; END''', r.proname, a, coalesce((SELECT format_type(min(prorettype::int8)::oid, NULL) FROM pg_proc p WHERE p.proname = r.proname AND p.pronamespace = 'pg_catalog'::regnamespace AND NOT p.proretset), 'text'));
        END IF;
      EXCEPTION WHEN OTHERS THEN NULL;
      END;
    END LOOP;
    FOREACH b IN ARRAY types LOOP
      EXECUTE format('CREATE FUNCTION public.compared(%s, %s) RETURNS boolean LANGUAGE plpgsql AS ''BEGIN RETURN true; END''', a, b);
      EXECUTE format('CREATE FUNCTION public.joined(%s, %s) RETURNS text LANGUAGE plpgsql AS ''BEGIN RETURN $1::text; END''', a, b);
      FOR r IN SELECT unnest(ARRAY['=', '<>', '<', '>', '<=', '>=', '~', '~~', '!~', '!~~', '@>', '?']) AS name LOOP
        IF to_regoperator(format('pg_catalog.%s(%s,%s)', r.name, a, b)) IS NULL THEN
          EXECUTE format('CREATE OPERATOR public.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = public.compared)', r.name, a, b);
        END IF;
      END LOOP;
      FOR r IN SELECT unnest(ARRAY['||', '->>', '->', '#>>', '+', '-', '*']) AS name LOOP
        IF to_regoperator(format('pg_catalog.%s(%s,%s)', r.name, a, b)) IS NULL THEN
          EXECUTE format('CREATE OPERATOR public.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = public.joined)', r.name, a, b);
        END IF;
      END LOOP;
    END LOOP;
  END LOOP;
END $do$`;
