import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { shortDetail } from '../../../src/cli/show/terminal.js';
import { sluice } from '../../support/cli.js';
import { tempFolder } from '../../support/files.js';
import { thingsDatabase } from '../../support/things.js';

test('a detail of thousands of characters does not bury the others', async (t) => {
  assert.equal(shortDetail('short'), 'short');
  assert.match(shortDetail('x'.repeat(3000)), /^x{600}… \(3000 characters\)$/);
  const database = await thingsDatabase(t);
  const cwd = tempFolder(t);
  writeFileSync(
    join(cwd, 'long.ts'),
    `import { check, memory, flow, pipeline, replace } from 'sluice';
     export default pipeline({
       name: 'long', summary: 'long', inputs: { things: memory('things', [{ id: '1', name: 'a' }]) },
       tables: { things: replace('things', { columns: ['id', 'name'] }) },
       checks: [check('long', 'long', async () => [{ severity: 'error', message: 'long', details: ['y'.repeat(5000), 'after it'] }])],
       flows: ({ inputs, tables }) => [flow(inputs.things).into(tables.things)],
     });`,
  );
  const env = { SLUICE_DATABASE_URL: database.url };
  const shown = await sluice(['check', 'long.ts'], { cwd, env });
  assert.match(shown.stderr + shown.stdout, /y{600}… \(5000 characters\)\n +after it/);
  const error = await sluice(['run', 'long.ts', '--yes'], { cwd, env });
  assert.match(error.stderr, /y{600}… \(5000 characters\)\n +after it/);
});
