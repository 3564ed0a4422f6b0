/** Triggers whose names begin so belong to a load's write guard: no fact of the table, never carried. */
export const GUARD_TRIGGER_PREFIX = 'sluice_guard';

/** SQL for a json list of Grants out of `acl` (aclitem[]), in its order, which pg_dump shows; `column` is SQL for the column's name. */
export function grantsJson(acl: string, column = 'NULL'): string {
  return `(SELECT coalesce(json_agg(json_build_object(
    'grantor', pg_catalog.pg_get_userbyid(x.grantor),
    'grantee', CASE WHEN x.grantee <> 0 THEN pg_catalog.pg_get_userbyid(x.grantee) END,
    'privilege', x.privilege_type, 'grantable', x.is_grantable, 'column', ${column})
    ORDER BY x.position), '[]') FROM pg_catalog.aclexplode(${acl})
    WITH ORDINALITY x(grantor, grantee, privilege_type, is_grantable, position))`;
}

/** SQL for whether the owner's own entries of `acl` are the built-in default ones. `kind`: r or S. */
export function ownerDefault(acl: string, kind: 'r' | 'S', owner: string): string {
  const mine = (list: string) => `(SELECT coalesce(string_agg(x.privilege_type || x.is_grantable, ','
    ORDER BY x.privilege_type), '') FROM pg_catalog.aclexplode(${list}) x
    WHERE x.grantee = ${owner} AND x.grantor = ${owner})`;
  const builtIn = `pg_catalog.acldefault('${kind}', ${owner})`;
  return `(${mine(`coalesce(${acl}, ${builtIn})`)} = ${mine(builtIn)})`;
}

/** SQL for the comment on a catalog object. */
export const comment = (oid: string, catalog: string, sub = '0') =>
  `(SELECT d.description FROM pg_catalog.pg_description d WHERE d.objoid = ${oid}
    AND d.classoid = 'pg_catalog.${catalog}'::pg_catalog.regclass AND d.objsubid = ${sub})`;

/**
 * The options of the column that `alias` of pg_attribute is, sorted: those that ALTER TABLE … SET sets. A server may
 * keep notes of its own beside them (Debian's 15.20 puts a `pg_attver` on every column), which belong to the column as
 * it is and are neither compared nor carried over.
 */
export const columnOptions = (alias: string): string =>
  `ARRAY(SELECT o.o FROM pg_catalog.unnest(${alias}.attoptions) AS o (o) WHERE o.o ~ '^n_distinct(_inherited)?=' ORDER BY o.o COLLATE "C")`;
