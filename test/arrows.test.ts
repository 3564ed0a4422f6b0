import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { test } from 'node:test';
import { projectFolder } from './support/server.js';

/** The houses by level, as docs/architecture.md has them. */
const LEVELS = [
  ...readFileSync(join(projectFolder, 'docs', 'architecture.md'), 'utf8').matchAll(
    /^\| (\d+) \| (`.*`) \|$/gm,
  ),
].map(([, level, houses]) => ({
  level: Number(level),
  houses: [...(houses as string).matchAll(/`([^`]+)`/g)].map(([, house]) => house as string),
}));

const HOUSES = LEVELS.flatMap(({ level, houses }) => houses.map((house) => ({ house, level })));

const houseOf = (file: string) => HOUSES.find(({ house }) => file.startsWith(`${house}/`));

/** What every file imports, of types and when it runs alike. */
const IMPORTS = new Map<string, readonly string[]>(
  ['src', 'sinks', 'transforms', 'pipelines', 'samples']
    .flatMap((top) =>
      readdirSync(join(projectFolder, top), { recursive: true, encoding: 'utf8' }).map((name) =>
        join(top, name),
      ),
    )
    .filter((file) => file.endsWith('.ts'))
    .map((file) => {
      const text = readFileSync(join(projectFolder, file), 'utf8');
      const found = text.matchAll(/(?:\bfrom\s+|\bimport\(\s*|\bimport\s+)'(\.{1,2}\/[^']+)\.js'/g);
      return [file, [...found].map(([, to]) => `${join(dirname(file), to as string)}.ts`)] as const;
    }),
);

test('every file is in a house that has its level', () => {
  const homeless = [...IMPORTS.keys()].filter((file) => houseOf(file) === undefined);
  // What users import; nothing imports it.
  assert.deepEqual(homeless, ['src/index.ts']);
  assert.ok(HOUSES.length >= 11 && IMPORTS.size > 300);
});

test('arrows point downwards, and houses of one level do not know each other', () => {
  const wrong: string[] = [];
  for (const [file, imports] of IMPORTS)
    for (const to of imports) {
      const [from, at] = [houseOf(file), houseOf(to)];
      if (from === undefined) continue;
      if (at === undefined || (at.house !== from.house && at.level >= from.level))
        wrong.push(`${file} imports ${to}`);
    }
  assert.deepEqual(wrong, []);
});

test('pipelines import Sluice as a user’s would', () => {
  const wrong: string[] = [];
  for (const [file, imports] of IMPORTS)
    if (file.startsWith('pipelines/'))
      for (const to of imports) {
        const [, own] = /^(pipelines\/[^/]+)\//.exec(file) ?? [];
        if (relative(own as string, to).startsWith('..')) wrong.push(`${file} imports ${to}`);
      }
  assert.deepEqual(wrong, []);
});

test('no file imports itself around any corner', () => {
  const circles: string[] = [];
  const done = new Set<string>();
  const walk = (file: string, way: readonly string[]) => {
    const at = way.indexOf(file);
    if (at >= 0) circles.push([...way.slice(at), file].join(' → '));
    if (at >= 0 || done.has(file)) return;
    for (const to of IMPORTS.get(file) ?? []) walk(to, [...way, file]);
    done.add(file);
  };
  for (const file of IMPORTS.keys()) walk(file, []);
  assert.deepEqual(circles, []);
});

/** Folders of tests that stand for no house: what goes through all of them, and programs. */
const OWN = [
  'bench',
  'cuts',
  'docs',
  'errors',
  'fuzz',
  'prove',
  'security',
  'soak',
  'supply',
  'support',
  'tables',
  'torture',
  'types',
];

test('tests stand where the source does: a room of test is a room of the source', () => {
  const rooms = new Set(
    readdirSync(join(projectFolder, 'test'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => dirname(name))
      .filter((room) => room !== '.'),
  );
  const elsewhere = [...rooms].filter(
    (room) =>
      !OWN.includes(room.split(sep)[0] as string) &&
      !['src', '.'].some((top) => existsSync(join(projectFolder, top, room))),
  );
  assert.deepEqual(elsewhere, []);
  assert.ok(rooms.size > 30);
});
