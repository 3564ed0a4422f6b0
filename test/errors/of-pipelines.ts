import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'acorn';
import type { ErrorKind } from '../../src/core/errors/sluice-error.js';
import { projectFolder } from '../support/server.js';
import type { ErrorEntry } from './catalogue.js';

const KINDS: ReadonlySet<string> = new Set(['failed', 'usage', 'refused']);

interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

/**
 * The errors that pipelines make themselves, as authors do: by `failed`, `usage` and `refused`, with a code and a sentence
 * as literals. Found in the compiled code.
 */
export function errorsOfPipelines(
  folders: readonly string[] = ['src', 'sinks', 'transforms', 'pipelines'],
): ErrorEntry[] {
  const entries: ErrorEntry[] = [];
  for (const folder of folders)
    for (const name of readdirSync(join(projectFolder, 'dist', folder), {
      recursive: true,
      encoding: 'utf8',
    })) {
      if (!name.endsWith('.js')) continue;
      const text = readFileSync(join(projectFolder, 'dist', folder, name), 'utf8');
      for (const node of nodesOf(parse(text, { ecmaVersion: 'latest', sourceType: 'module' }))) {
        const entry = entryOf(node);
        if (entry !== undefined) entries.push(entry);
      }
    }
  return entries;
}

function* nodesOf(value: unknown): Generator<Node> {
  if (typeof value !== 'object' || value === null) return;
  if ('type' in value) yield value as Node;
  for (const each of Object.values(value)) yield* nodesOf(each);
}

function entryOf(node: Node): ErrorEntry | undefined {
  if (node.type !== 'CallExpression') return undefined;
  const { name } = node.callee as { name?: string };
  const [code, message, facts] = node.arguments as Node[];
  if (name === undefined || !KINDS.has(name) || code?.type !== 'Literal') return undefined;
  return {
    code: code.value as string,
    kind: name as ErrorKind,
    message: textOf(message),
    state: stateOf(facts),
    next: [],
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
