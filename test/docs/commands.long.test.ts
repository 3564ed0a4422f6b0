import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import type { TestDatabase } from '../support/database.js';
import { packedProject } from '../support/packed.js';
import { projectFolder } from '../support/server.js';
import { filesFor, SYSTEMS, systemOf } from './old-systems.js';

// Every line of every `sh` block of README and docs is typed in a shell, with the command out of the package as it is
// published, one after the other as a reader would.

/** Lines that are not, and why. */
const LEFT: readonly (readonly [line: RegExp, why: string])[] = [
  [/^npm ci && /, 'in a clone: CI does both'],
  [/^npm install /, 'asks a registry'],
  [/^npm run practice|^node dist\//, 'scripts of a clone'],
  [/^sluice demo /, 'test/cli/commands/demo.long.test.ts does every demo, on the embedded server'],
  [/https:\/\/|s3:\/\//, 'hosts of others: test/sources/remote has servers of its own'],
  [/^sluice worker|--workers/, 'several hosts: test/cli/commands/worker.long.test.ts'],
  [/^pg_dump |^psql -f/, 'no command of ours; the tables are made out of the same file'],
  [/\.parquet|\.xlsx/, 'takes an optional package: test/export, test/sources and test/copy have it'],
  [/\| jq /, 'a program that may not be there'],
  [/postgres:\/\/two/, 'two servers: test/export copies between databases'],
];

/** Documents that are typed as a whole elsewhere. */
const WHOLE: Readonly<Record<string, string>> = {
  'docs/first-pipeline.md': 'test/new/projects.long.test.ts, from the package as well',
};

const documents = [
  'README.md',
  ...readdirSync(join(projectFolder, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

/** The lines of a document's `sh` blocks, without what they say beside the commands. */
const linesOf = (file: string) =>
  [...readFileSync(join(projectFolder, file), 'utf8').matchAll(/^ *```sh\n([\s\S]*?)^ *```$/gm)]
    .flatMap(([, block = '']) => block.split('\n'))
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .filter((line) => line !== '');

const left = (line: string) => LEFT.some(([form]) => form.test(line));

/** A folder with the command as a shell finds it. It agrees to what is asked: nobody sits there. */
function shell(cwd: string): string {
  const folder = join(cwd, 'bin');
  const main = join(cwd, 'node_modules', 'sluice', 'dist', 'bundle', 'src', 'cli', 'main.js');
  mkdirSync(folder);
  const script = `#!/bin/sh
case "$1" in run | load | copy | rollback) set -- "$@" --yes ;; esac
exec "${process.execPath}" "${main}" "$@"
`;
  writeFileSync(join(folder, 'sluice'), script);
  chmodSync(join(folder, 'sluice'), 0o755);
  return folder;
}

for (const file of documents.filter((name) => linesOf(name).some((line) => !left(line)) && !(name in WHOLE)))
  test(`the commands of ${file} do what they are shown for`, async (t) => {
    const cwd = packedProject(t);
    const path = `${shell(cwd)}${delimiter}${process.env.PATH}`;
    mkdirSync(join(cwd, 'export'));
    writeFileSync(join(cwd, 'customers.ts'), firstBlock('docs/writing-pipelines.md'));
    writeFileSync(join(cwd, 'own-tables.ts'), firstBlock('docs/okvet-import.md'));
    writeFileSync(join(cwd, 'open-orders.ts'), firstBlock('docs/export.md'));
    const databases = new Map<string, TestDatabase>();
    let system: keyof typeof SYSTEMS = 'lots';
    for (const line of linesOf(file).filter((each) => !left(each))) {
      system = systemOf(line) ?? system;
      const database: TestDatabase = databases.get(system) ?? (await SYSTEMS[system](t, cwd));
      databases.set(system, database);
      filesFor(t, line, cwd);
      const typed = await asTyped(line, database, cwd);
      const child = spawn('bash', ['-o', 'pipefail', '-c', typed], {
        cwd,
        env: { PATH: path, HOME: cwd, DATABASE_URL: database.url, ...searchPath(line) },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const said = Promise.all([child.stdout, child.stderr].map((from) => from.toArray()));
      const [code] = await once(child, 'close');
      const [stdout, stderr] = (await said).map((pieces) => Buffer.concat(pieces).toString());
      assert.equal(code, 0, `${file}: ${typed}\n${stdout}\n${stderr}`);
    }
  });

test('every line that is not typed has its reason, and no reason is without a line', () => {
  const all = documents.flatMap(linesOf);
  assert.ok(all.length > 60, `${all.length} lines`);
  for (const [form] of LEFT)
    assert.ok(
      all.some((line) => form.test(line)),
      String(form),
    );
  for (const file of Object.keys(WHOLE)) assert.ok(linesOf(file).length > 0, file);
});

const firstBlock = (file: string) =>
  /^```ts\n([\s\S]*?)^```$/m.exec(readFileSync(join(projectFolder, file), 'utf8'))?.[1] ?? '';

/** The practice with tables of its own has them in a schema of its own, too. */
const searchPath = (line: string) =>
  line.includes('own-tables') ? { PGOPTIONS: '-c search_path=theirs' } : {};

/** "export OkVet's as a pattern, put the other's name into `source_system`" */
const PATTERN = "sluice mappings okvet export | sed 's/^okvet,/vetsoft,/' > vetsoft.csv && ";

/** The line with what only the reader knows: his database, his last batch, his files. */
async function asTyped(line: string, database: TestDatabase, cwd: string): Promise<string> {
  const there = await database.query<{ last: string | null }>(
    `SELECT max(id)::text AS last FROM sluice.migration_batch WHERE status NOT IN ('failed')`,
  );
  const backup = readdirSync(cwd).find((name) => /^migration_backup_.*\.json$/.test(name)) ?? '';
  return line
    .replace(/^(?=.*import vetsoft)/, PATTERN)
    .replace(/sluice (status|report|rejects|rollback|validate|swap) \d+/, `sluice $1 ${there[0]?.last}`)
    .replace(/migration_backup_\w+\.json/, backup)
    .replace(/postgres:\/\/…/, database.url);
}
