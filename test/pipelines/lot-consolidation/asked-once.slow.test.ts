import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { type TestContext, test } from 'node:test';
import lotConsolidation from '../../../pipelines/lot-consolidation/index.js';
import { FILES } from '../../../samples/lot-consolidation/generate.js';
import { checkPipeline } from '../../../src/run/check.js';
import type { TestDatabase } from '../../support/database.js';
import { long } from '../../support/long.js';
import { lotSystem, openDatabase, runLots, sample } from '../../support/lots.js';
import { thrown } from '../../support/thrown.js';

/** What the check says, worst first: severity, name and all its lines. */
async function checked(t: TestContext, database: TestDatabase) {
  const opened = openDatabase(t, database);
  const { findings } = await checkPipeline(lotConsolidation, {
    database: opened,
    log: { debug() {}, info() {}, warn() {}, error() {} },
  });
  await opened.close();
  return findings.map(({ name, finding }) => ({
    severity: finding.severity,
    name,
    lines: [finding.message, ...(finding.details ?? [])].join('\n'),
  }));
}

/** Systems whose LOTs cannot be consolidated, the reason under which a run leaves them, and the LOTs. */
const LEFT: Readonly<
  Record<string, { readonly sql?: string; readonly reason: string; readonly lots: RegExp[] }>
> = {
  'malformed-number': {
    reason: 'malformed_lot_number',
    lots: [/WF-KR-251121X-001/, /WF-KR-251121D-1\b/, /wf-kr-251121d-003/, /LOT 914/, /WF-KR-251131D-004/],
  },
  'missing-line': { reason: 'missing_line', lots: [/production_line_id: not so in 1 of/] },
  'missing-model': { reason: 'missing_model', lots: [/product_model_id: not so in 1 of/] },
  'month-disagrees': { reason: 'month_disagrees', lots: [/WF-KR-251022D-001/] },
  'malformed-code': {
    sql: `ALTER TABLE production_lines DROP CONSTRAINT production_lines_line_code_check;
        INSERT INTO production_lines (id, line_code, name) VALUES (90, 'kr9', 'odd');
        INSERT INTO lots (id, lot_number, production_line_id, product_model_id, production_month) VALUES (940, 'WF-KR-251121D-940', 90, 1, '2511')`,
    reason: 'malformed_code',
    lots: [/WF-KR-251121D-940/],
  },
};

test('what refuses a run the check refuses, each file in bad/ by the same name', async (t) => {
  for (const file of await readdir(new URL('bad/', FILES))) {
    const database = await lotSystem(t, { sql: await sample(`bad/${file}`) });
    const errors = (await checked(t, database)).filter(({ severity }) => severity === 'error');
    const error = await thrown(runLots(t, database), file);
    assert.equal(error.code, 'check_refused', file);
    assert.equal(errors.length, 1, file);
    assert.ok(error.message.startsWith(`${errors[0]?.name}: `), `${file}: ${error.message}`);
  }
});

long(
  'what a run leaves as it is the check names beforehand, each file in left/, and nothing else',
  async (t) => {
    const files = (await readdir(new URL('left/', FILES))).map((name) => name.replace('.sql', ''));
    for (const file of files) assert.ok(LEFT[file] !== undefined, file);
    assert.deepEqual(await checked(t, await lotSystem(t)), []);
    for (const [name, { sql, reason, lots }] of Object.entries(LEFT)) {
      const database = await lotSystem(t, { sql: sql ?? (await sample(`left/${name}.sql`)) });
      const findings = await checked(t, database);
      assert.deepEqual(
        findings.map(({ severity }) => severity),
        ['warning'],
        name,
      );
      for (const lot of lots) assert.match(findings[0]?.lines ?? '', lot);
      const { summary } = await runLots(t, database);
      assert.deepEqual(
        Object.keys(summary.skip_reasons).filter((each) => each === reason),
        [reason],
      );
    }
  },
);
