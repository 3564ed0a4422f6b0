/**
 * SQL of the prepared transaction behind a lock `l` of pg_locks, as `x`: the one that holds the lock on its own number under
 * the same virtual transaction, which is that of the session that has prepared it, and `-1/…` after a restart.
 */
export const PREPARED_BEHIND = `(SELECT o.virtualtransaction, p.* FROM pg_catalog.pg_locks o
    JOIN pg_catalog.pg_prepared_xacts p ON p.transaction = o.transactionid WHERE o.pid IS NULL AND o.locktype = 'transactionid'
  ) x ON l.pid IS NULL AND l.virtualtransaction = x.virtualtransaction`;
