import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { projectFolder } from '../support/server.js';

// The reference is made of the declarations that tsc writes, which begin and end in the first column: what a
// program of another version of TypeScript would have to be installed for otherwise.

/** What the package can be imported by, where its declarations are, and what it is for. */
const ENTRIES = [
  ['sluice', 'src/index', 'Sources, pipelines, targets, and running them from a program.'],
  [
    'sluice/transforms',
    'transforms/index',
    'Stages, and the fields of mappings. As a table: [stages.md](../stages.md).',
  ],
  ['sluice/sinks', 'sinks/index', 'Where rows end besides tables.'],
  [
    'sluice/testing',
    'src/testing/index',
    'Stages and pipelines under test. With examples: [testing.md](../testing.md).',
  ],
] as const;

interface Declared {
  readonly name: string;
  /** The text of its comment, without stars. */
  readonly said: string;
  readonly code: string;
  readonly isType: boolean;
}

/** Every document of the reference, by its path. */
export function apiDocuments(): ReadonlyMap<string, string> {
  return new Map(
    ENTRIES.map(([name, path, what]) => [
      `docs/api/${name.split('/').at(-1)}.md`,
      documentOf(name, what, exportedBy(join(projectFolder, 'dist', `${path}.d.ts`))),
    ]),
  );
}

function documentOf(name: string, what: string, all: ReadonlyMap<string, readonly Declared[]>): string {
  const sorted = [...all].sort(([a], [b]) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
  const part = (title: string, isType: boolean) => [
    `## ${title}`,
    ...sorted
      .filter(([, declared]) => declared.every((each) => each.isType) === isType)
      .map(([exported, declared]) => sectionOf(exported, declared)),
  ];
  return `${[
    `# ${name}`,
    `${what} Written by \`npm run docs:api\` from the declarations of the package: a change of this file is a change of what is promised, and a line of the [changelog](../../CHANGELOG.md).`,
    ...part('Functions and values', false),
    ...part('Types', true),
  ].join('\n\n')}\n`;
}

function sectionOf(name: string, declared: readonly Declared[]): string {
  const said = declared.map((each) => each.said).filter((text) => text !== '');
  const code = declared.map((each) => each.code).join('\n');
  return [`### ${name}`, ...said, `\`\`\`ts api\n${code}\n\`\`\``].join('\n\n');
}

const LIST = /^export (?:type )?\{([^}]*)\} from '(.+)\.js';/gm;

/** What a file of declarations exports, by name: its own, and what it names of others. */
function exportedBy(file: string): ReadonlyMap<string, readonly Declared[]> {
  const text = readFileSync(file, 'utf8');
  const all = new Map<string, readonly Declared[]>();
  for (const each of declaredIn(text)) all.set(each.name, [...(all.get(each.name) ?? []), each]);
  for (const [, names = '', from = ''] of text.matchAll(LIST)) {
    const path = join(dirname(file), `${from}.d.ts`);
    const others = exportedBy(path);
    for (const listed of names.split(',')) {
      const name = listed.trim().replace(/^type /, '');
      if (name === '') continue;
      const found = others.get(name);
      if (found === undefined) throw new Error(`${relative(projectFolder, path)} declares no ${name}`);
      all.set(name, found);
    }
  }
  if (/^export (?:type )?\*/m.test(text))
    throw new Error(`${relative(projectFolder, file)} exports without names`);
  return all;
}

const DECLARATION = /^export (?:declare )?(?:abstract )?(function|const|class|interface|type) (\w+)/;

function declaredIn(text: string): Declared[] {
  const found: Declared[] = [];
  let said: string[] = [];
  let code: string[] | undefined;
  let inComment = false;
  const end = () => {
    const [, kind, name] = DECLARATION.exec(code?.[0] ?? '') ?? [];
    if (code !== undefined && name !== undefined)
      found.push({
        name,
        said: said.join('\n').trim(),
        code: code
          .join('\n')
          .trim()
          .replace(/^export (?:declare )?/, ''),
        isType: kind === 'interface' || kind === 'type',
      });
    if (code !== undefined) said = [];
    code = undefined;
  };
  for (const line of text.split('\n')) {
    if (inComment || line.startsWith('/**')) {
      if (!inComment) {
        end();
        said = [];
      }
      inComment = !line.includes('*/');
      said.push(line.replace(/^\/\*\* ?|^ \*\/|^ \* ?/, '').replace(/ ?\*\/$/, ''));
    } else if (/^(export|import|declare|interface|type|\/\/#)/.test(line)) {
      end();
      code = [line];
    } else code?.push(line);
  }
  end();
  return found;
}
