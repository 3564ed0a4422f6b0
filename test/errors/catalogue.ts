import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'acorn';
import { EXIT } from '../../src/core/errors/sluice-error.js';
import { projectFolder } from '../support/server.js';

/** An error as the code makes it. */
export interface ErrorEntry {
  readonly code: string;
  readonly kind: keyof typeof KINDS;
  /** The sentence, with `…` for what is put into it. */
  readonly message: string;
  readonly state: string | undefined;
}

const KINDS = { failed: EXIT.failed, usage: EXIT.usage, refused: EXIT.refused } as const;

interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** Every error that the compiled code makes, by code, each sentence once. */
export function errorEntries(): ErrorEntry[] {
  const entries = new Map<string, ErrorEntry>();
  for (const folder of ['src', 'sinks', 'transforms', 'pipelines'])
    for (const name of readdirSync(join(projectFolder, 'dist', folder), {
      recursive: true,
      encoding: 'utf8',
    })) {
      if (!name.endsWith('.js')) continue;
      const text = readFileSync(join(projectFolder, 'dist', folder, name), 'utf8');
      for (const node of nodesOf(parse(text, { ecmaVersion: 'latest', sourceType: 'module' }))) {
        const entry = entryOf(node);
        if (entry !== undefined) entries.set(`${entry.code} ${entry.message}`, entry);
      }
    }
  return [...entries.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

const key = ({ code, message }: ErrorEntry) => `${code} ${message}`;

function* nodesOf(value: unknown): Generator<Node> {
  if (typeof value !== 'object' || value === null) return;
  if ('type' in value) yield value as Node;
  for (const each of Object.values(value)) yield* nodesOf(each);
}

function entryOf(node: Node): ErrorEntry | undefined {
  if (node.type !== 'CallExpression') return undefined;
  const { name } = node.callee as { name?: string };
  const [code, message, facts] = node.arguments as Node[];
  if (name === undefined || !Object.hasOwn(KINDS, name) || code?.type !== 'Literal') return undefined;
  return {
    code: code.value as string,
    kind: name as keyof typeof KINDS,
    message: textOf(message),
    state: stateOf(facts),
  };
}

/** A text of the code, with `…` for what it does not say itself. */
function textOf(node: Node | undefined): string {
  if (node?.type === 'Literal') return String(node.value);
  if (node?.type === 'TemplateLiteral') {
    const quasis = node.quasis as readonly { readonly value: { readonly cooked: string } }[];
    return quasis.map(({ value }) => value.cooked).join('…');
  }
  if (node?.type === 'ConditionalExpression')
    return `${textOf(node.consequent as Node)} / ${textOf(node.alternate as Node)}`;
  return '…';
}

function stateOf(facts: Node | undefined): string | undefined {
  if (facts?.type !== 'ObjectExpression') return undefined;
  const property = (facts.properties as Node[]).find(
    ({ key }) => (key as Node | undefined)?.name === 'state',
  );
  const state = property === undefined ? undefined : textOf(property.value as Node);
  return state === '…' ? undefined : state;
}

/** docs/errors.md, as the code has it. */
export function errorsPage(): string {
  const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ').replaceAll('<', '&lt;');
  const lines = errorEntries().map(
    ({ code, kind, message, state = '' }) =>
      `| \`${code}\` | ${KINDS[kind]} | ${cell(message)} | ${cell(state)} |`,
  );
  return `# Errors

Every error has a code, which stays the same (\`error.code\` in \`--json\`, \`SluiceError.code\` in a program), a sentence, what
state things are in, and what to type next. The exit code says of which kind it is: ${EXIT.failed} something broke, ${EXIT.usage} the command
or the pipeline is wrong, ${EXIT.refused} a check, a validation or a limit said no; ${EXIT.interrupted} (\`interrupted\`) somebody asked it to stop. \`…\` stands for
what an error puts in. This page is made from the code (\`npm run docs:errors\`).

| code | exit | says | state |
|---|---|---|---|
${lines.join('\n')}
`;
}
