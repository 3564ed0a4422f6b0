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
 * The errors that the pipelines that come with Sluice make themselves, as authors do: by `failed`, `usage` and `refused`,
 * with a code and a sentence as literals. Found in the compiled code.
 */
export function errorsOfPipelines(): ErrorEntry[] {
  const folder = join(projectFolder, 'dist', 'pipelines');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.js'))
    .flatMap((name) => {
      const text = readFileSync(join(folder, name), 'utf8');
      const nodes = [...nodesOf(parse(text, { ecmaVersion: 'latest', sourceType: 'module' }))];
      return nodes.flatMap((node) => entryOf(node) ?? []);
    });
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
