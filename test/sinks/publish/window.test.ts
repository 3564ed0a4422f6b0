import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settleStatement } from '../../../sinks/publish/deferred.js';
import { anonymousBlock, mergedLocks, type WindowPart, windowSql } from '../../../sinks/publish/window.js';

const part = (over: Partial<WindowPart>): WindowPart => ({
  table: 'live.t',
  early: [],
  dependents: [],
  locks: [],
  rechecks: [],
  out: [],
  in: [],
  after: [],
  late: [],
  ...over,
});

test('the window runs all parts phase by phase, dependents and locks bounded as one statement', () => {
  const sql = windowSql(
    [
      part({
        dependents: ['ALTER VIEW v OWNER TO o'],
        locks: [
          { schema: 'live', table: 't', mode: 'ACCESS EXCLUSIVE' },
          { schema: 'live', table: 'm', mode: 'ACCESS EXCLUSIVE' },
        ],
        rechecks: ['recheck t'],
        out: ['out t'],
        in: ['in t'],
        after: ['after t'],
        proofs: ['proof t'],
      }),
      part({
        early: ['merge m'],
        locks: [{ schema: 'live', table: 'm', mode: 'ROW EXCLUSIVE' }],
        rechecks: ['recheck m'],
        late: ['late m'],
      }),
    ],
    { lockTimeoutMs: 150, statementTimeoutMs: 400, ledger: ['INSERT INTO l.l VALUES (1)'] },
  );
  assert.equal(
    sql,
    `BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL lock_timeout = 150;
SET LOCAL statement_timeout = 0;
SET LOCAL idle_in_transaction_session_timeout = 2000;
merge m;
${settleStatement([
  { schema: 'live', table: 'm' },
  { schema: 'live', table: 't' },
])};
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL DateStyle = 'ISO';
SET LOCAL IntervalStyle = 'postgres';
SET LOCAL bytea_output = 'hex';
SET LOCAL extra_float_digits = '1';
SET LOCAL array_nulls = 'on';
SET LOCAL xmloption = 'content';
SET LOCAL statement_timeout = 400;
SELECT extract(epoch FROM pg_catalog.clock_timestamp()) OPERATOR(pg_catalog.*) 1000 AS sluice_start;
DO $sluice$ BEGIN 
  EXECUTE 'ALTER VIEW v OWNER TO o';
  EXECUTE 'LOCK TABLE ONLY "live"."m", ONLY "live"."t" IN ACCESS EXCLUSIVE MODE'; END $sluice$;
SELECT extract(epoch FROM pg_catalog.clock_timestamp()) OPERATOR(pg_catalog.*) 1000 AS sluice_locked;
recheck t;
recheck m;
out t;
in t;
after t;
SET LOCAL statement_timeout = 0;
SET LOCAL DateStyle TO DEFAULT;
SET LOCAL IntervalStyle TO DEFAULT;
SET LOCAL bytea_output TO DEFAULT;
SET LOCAL extra_float_digits TO DEFAULT;
SET LOCAL array_nulls TO DEFAULT;
SET LOCAL xmloption TO DEFAULT;
late m;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL DateStyle = 'ISO';
SET LOCAL IntervalStyle = 'postgres';
SET LOCAL bytea_output = 'hex';
SET LOCAL extra_float_digits = '1';
SET LOCAL array_nulls = 'on';
SET LOCAL xmloption = 'content';
proof t;
INSERT INTO l.l VALUES (1);
SET LOCAL DateStyle TO DEFAULT;
SET LOCAL IntervalStyle TO DEFAULT;
SET LOCAL bytea_output TO DEFAULT;
SET LOCAL extra_float_digits TO DEFAULT;
SET LOCAL array_nulls TO DEFAULT;
SET LOCAL xmloption TO DEFAULT;
SELECT extract(epoch FROM pg_catalog.clock_timestamp()) OPERATOR(pg_catalog.*) 1000 AS sluice_end;
SELECT pg_catalog.set_config('search_path', pg_catalog.current_setting('sluice.search_path'), true);
COMMIT;
`,
  );
});

test('a rehearsal differs in its last word alone', () => {
  const options = { lockTimeoutMs: 1, statementTimeoutMs: 2, ledger: [] };
  const real = windowSql([], options);
  assert.equal(windowSql([], { ...options, rehearse: true }), real.replace(/COMMIT;\n$/, 'ROLLBACK;\n'));
});

test('locks: weaker modes first, then by name; a table once, in its strongest mode', () => {
  const lock = (table: string, mode: 'ACCESS EXCLUSIVE' | 'ROW EXCLUSIVE') => ({ schema: 's', table, mode });
  const locks = mergedLocks([
    part({ locks: [lock('b', 'ACCESS EXCLUSIVE'), lock('z', 'ROW EXCLUSIVE')] }),
    part({ locks: [lock('a', 'ACCESS EXCLUSIVE'), lock('b', 'ROW EXCLUSIVE')] }),
  ]);
  assert.deepEqual(
    locks.map((each) => `${each.table} ${each.mode}`),
    ['z ROW EXCLUSIVE', 'a ACCESS EXCLUSIVE', 'b ACCESS EXCLUSIVE'],
  );
});

test('text in a block cannot end it', () => {
  assert.equal(anonymousBlock('x $sluice$ y;'), 'DO $sluice_$ BEGIN x $sluice$ y; END $sluice_$');
});
