/**
 * SQL of the OIDs that hold the rows of the table whose OID `oid` (an SQL expression) is: its own, and those of all its
 * partitions, or of the tables that inherit from it, down to the last. A statement that names the table reaches the
 * rows of just these. Partitions that are being detached are none any more. Pure.
 */
export function membersOf(oid: string): string {
  return `WITH RECURSIVE member(oid) AS (SELECT (${oid})::pg_catalog.oid UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN member m ON i.inhparent = m.oid WHERE NOT i.inhdetachpending) SELECT oid FROM member WHERE oid IS NOT NULL`;
}

/**
 * SQL of the OIDs of the tables through which the rows of the table `oid` can be reached besides by its own name: what
 * it is a partition of, or inherits from, up to the root. Its own is not among them. Pure.
 */
export function ancestorsOf(oid: string): string {
  return `WITH RECURSIVE above(oid) AS (SELECT i.inhparent FROM pg_catalog.pg_inherits i WHERE i.inhrelid = (${oid})::pg_catalog.oid UNION SELECT i.inhparent FROM pg_catalog.pg_inherits i JOIN above a ON i.inhrelid = a.oid) SELECT oid FROM above`;
}
