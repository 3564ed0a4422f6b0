import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { build } from 'esbuild';
import * as sluicePackage from 'sluice';
import * as sinks from 'sluice/sinks';
import * as transforms from 'sluice/transforms';
import { startSluice } from '../support/cli.js';
import { serverUrl, testDatabase } from '../support/database.js';
import { compilerSays, DEVELOPMENT, packedProject } from '../support/packed.js';
import { projectFolder } from '../support/server.js';

// Documents show TypeScript in two forms: a module, which begins with its imports, and a part of a pipeline's definition,
// which uses what the package exports. A block `ts internal` is of the code of Sluice itself,
// `ts api` a declaration (api.test.ts). Blocks of `sh` are typed by commands.long.test.ts, those of `sql` are run as the role that
// they make (run/check/privileges.test.ts), and what the one of `js` says is in vitest.long.test.ts.

interface Block {
  readonly file: string;
  readonly text: string;
}

const documents = [
  'README.md',
  ...readdirSync(join(projectFolder, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

const blocksOf = (file: string): Block[] =>
  [
    ...readFileSync(join(projectFolder, file), 'utf8').matchAll(/^```(?:ts|typescript)\n([\s\S]*?)^```$/gm),
  ].map((found) => ({ file, text: found[1] ?? '' }));

const PACKAGES = { sluice: sluicePackage, 'sluice/transforms': transforms, 'sluice/sinks': sinks };

/** The block as a module of a project. */
function moduleOf({ text }: Block): string {
  if (/^(\/\/.*\n)*import /.test(text)) return text;
  const words = new Set(text.match(/\b[A-Za-z]\w*\b/g));
  const imports = Object.entries(PACKAGES).map(
    ([name, exported]) =>
      `import { ${Object.keys(exported)
        .filter((word) => words.has(word))
        .join(', ')} } from '${name}';`,
  );
  return `import type { PipelineDefinition, Source, Target } from 'sluice';
${imports.join('\n')}
const definition: Partial<PipelineDefinition<Record<string, Source>, Record<string, Target>>> = {
${text}
};
export default definition;
`;
}

/** Programs and tests use what Node has of its own. */
const usesNode = ({ text }: Block) => /from 'node:|\b(process|console)\./.test(text);

test('blocks of programs and tests compile with the types of Node', (t) => {
  const project = packedProject(t, DEVELOPMENT);
  const blocks = documents.flatMap(blocksOf).filter(usesNode);
  assert.ok(blocks.length >= 3, `${blocks.length} blocks`);
  const files = blocks.map((block, at) => {
    const name = `node-${at + 1}.mts`;
    writeFileSync(join(project, name), block.text);
    return name;
  });
  assert.equal(compilerSays(project, files, ['node']), '');
});

test('the tests of docs/testing.md pass as they stand there', async (t) => {
  const project = packedProject(t);
  for (const [at, { text }] of blocksOf('docs/testing.md').entries())
    writeFileSync(join(project, `shown-${at + 1}.test.ts`), text);
  const built = await build({
    entryPoints: readdirSync(project).filter((name) => name.endsWith('.test.ts')),
    absWorkingDir: project,
    outdir: project,
    outExtension: { '.js': '.mjs' },
    format: 'esm',
    write: true,
  });
  assert.deepEqual(built.errors, []);
  const files = readdirSync(project).filter((name) => name.endsWith('.test.mjs'));
  assert.equal(files.length, 2);
  const env = {
    ...process.env,
    NODE_OPTIONS: '',
    NODE_TEST_CONTEXT: undefined,
    SLUICE_TEST_URL: await serverUrl(),
  };
  const ran = spawnSync(process.execPath, ['--test', ...files], { cwd: project, encoding: 'utf8', env });
  assert.equal(ran.status, 0, ran.stdout + ran.stderr);
  assert.match(ran.stdout, /pass 3/);
});

test('every block of TypeScript in README and docs compiles in an empty project, strict, with its libraries checked', (t) => {
  const project = packedProject(t);
  const blocks = documents.flatMap(blocksOf).filter((block) => !usesNode(block));
  assert.ok(blocks.length >= 6, `${blocks.length} blocks`);
  const files = blocks.map((block, at) => {
    const name = `block-${at + 1}.mts`;
    writeFileSync(join(project, name), moduleOf(block));
    return name;
  });
  const said = compilerSays(project, files).replace(
    /block-(\d+)\.mts/g,
    (name, number) => `${blocks[Number(number) - 1]?.file} (${name})`,
  );
  assert.equal(said, '');
});

test('the pipeline of README runs, is looked at and rolled back, from the package as it is published', async (t) => {
  const project = packedProject(t);
  const database = await testDatabase(t);
  await database.query('CREATE TABLE parts (id integer PRIMARY KEY, name text, price numeric)');
  const [block] = blocksOf('README.md');
  writeFileSync(join(project, 'parts.ts'), block?.text ?? '');
  writeFileSync(join(project, 'parts.csv'), 'id,name,price\n1,bolt,"1,50"\n2,,3\n3,nut,2\n');
  const main = join(project, 'node_modules', 'sluice', 'dist', 'bundle', 'src', 'cli', 'main.js');
  const run = (...args: readonly string[]) =>
    startSluice([...args, '--database-url', database.url], { main, cwd: project, input: '' }).ended;
  const ran = await run('run', './parts.ts', '--source', 'parts.csv', '--yes', '--json');
  assert.equal(ran.code, 0, ran.stderr);
  const { batch, skipped } = JSON.parse(ran.stdout) as { readonly batch: string; readonly skipped: number };
  assert.equal(skipped, 1);
  const prices = () => database.query('SELECT id, price::text FROM parts ORDER BY id');
  assert.deepEqual(await prices(), [
    { id: 1, price: '1.50' },
    { id: 3, price: '2' },
  ]);
  assert.equal((await run('rollback', batch, '--yes')).code, 0);
  assert.deepEqual(await prices(), []);
});
