import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { sluice } from '../../support/cli.js';
import { ask, embeddedDirectory } from '../../support/embedded.js';

test("a demo leaves the user's tables alone, and what it says to type next works as it is typed", async (t) => {
  const cwd = dirname(embeddedDirectory(t));
  const typed = (line: string) => sluice(line.split(' ').slice(1), { cwd });
  assert.equal((await sluice(['db', 'start'], { cwd })).code, 0);
  const mine = (await sluice(['db', 'url'], { cwd })).stdout.trim();
  for (const table of ['lots', 'serials']) await ask(mine, `CREATE TABLE ${table} AS SELECT 'mine' AS owner`);

  for (let times = 1; times <= 2; times++) {
    const demo = await sluice(['demo', 'lot-consolidation'], { cwd, env: { PGHOST: 'nowhere.invalid' } });
    assert.equal(demo.code, 0, demo.stderr);
    assert.equal(await ask(mine, 'SELECT lots.owner || serials.owner FROM lots, serials'), 'minemine');
    assert.equal(await ask(mine, "SELECT to_regnamespace('sluice')"), null);
    const suggested = demo.stderr.match(/sluice (status|rollback)\b.*?(?=$| {2})/gm) ?? [];
    assert.ok(suggested.length >= 2, demo.stderr);
    for (const line of new Set(suggested)) {
      const { code, stdout, stderr } = await typed(`${line}${line.includes('rollback') ? ' --yes' : ''}`);
      assert.equal(code, 0, `${line}\n${stderr}`);
      if (line.includes('status')) assert.match(stdout, /lot-consolidation[\s\S]*completed/);
    }
    const [, name] = /psql "\$\(sluice db url (\w+)\)"/.exec(demo.stderr) ?? [];
    assert.equal(name, 'sluice_demo_lot_consolidation');
    const theirs = (await sluice(['db', 'url', name as string], { cwd })).stdout.trim();
    assert.equal(await ask(theirs, 'SELECT count(*)::int FROM sluice.migration_batch WHERE id > 1'), 0);
    assert.equal(await ask(theirs, 'SELECT status FROM sluice.migration_batch'), 'rolled_back');
  }
});
