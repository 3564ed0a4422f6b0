import { monthOfOldNumber } from '../../pipelines/lot-consolidation/numbers.js';
import { timestamp } from '../../pipelines/milestones-to-sections/values.js';
import { invoiceLines } from '../../pipelines/okvet-import/invoice-lines.js';
import { idOf } from '../../pipelines/recipe-snapshots/inputs.js';
import { utcTimestamp } from '../../pipelines/recipe-snapshots/utc.js';
import { CopyBuffer } from '../../sinks/load/encode/copy-buffer.js';
import { copyEncoder } from '../../sinks/load/encode/encoder.js';
import { table } from '../../src/cli/show/table.js';
import { shown } from '../../src/cli/show/terminal.js';
import { OWN_TEXT } from '../../src/copy/own-text.js';
import { shellWord } from '../../src/core/command.js';
import { nearest } from '../../src/core/errors/nearest.js';
import { parseJson } from '../../src/core/json/parse.js';
import { jsonText } from '../../src/core/json/write.js';
import { formatList } from '../../src/core/list.js';
import { stackOf, userFrames } from '../../src/core/stack.js';
import { ledgerText } from '../../src/db/ledger-text.js';
import { readings } from '../../src/db/table-name.js';
import { Masking } from '../../src/run/given/masking.js';
import { parseRejectLimit } from '../../src/run/given/reject-limit.js';
import { cellText, escapeFormula, unescapeFormula } from '../../src/run/resubmit/reject-columns.js';
import { strictParser } from '../../src/sources/csv/fast.js';
import { callColumns, columnMeant } from '../../src/sources/csv/header.js';
import { separatorLine } from '../../src/sources/csv/separator-line.js';
import { duplicateKey } from '../../src/sources/json/duplicate-key.js';
import { layoutOf } from '../../src/sources/json/layout.js';
import { rowOf } from '../../src/sources/json/lines.js';
import { ElementReader, tokenParser } from '../../src/sources/json/tokens.js';
import { bare } from '../../src/sources/postgres/describe.js';
import { DATE_UNITS, readerOf, typeOf } from '../../src/sources/sqlite/values.js';
import { LineSplitter } from '../../src/sources/text/lines.js';
import { makeTransforms, validator } from '../../transforms/index.js';
import { KeyBytes } from '../../transforms/sort/key-bytes.js';
import { keyWriter } from '../../transforms/sort/order.js';
import { column } from '../support/column.js';

/** Something that is done with a text out of an input. What it makes of it, and whether it refuses it, is not looked at. */
export interface Probe {
  readonly name: string;
  readonly run: (text: string) => void;
}

const SCALARS = [
  ...[
    'int2',
    'int4',
    'int8',
    'numeric',
    'float4',
    'float8',
    'bool',
    'date',
    'timestamp',
    'timestamptz',
    'time',
  ],
  ...['timetz', 'interval', 'uuid', 'json', 'jsonb', 'bytea', 'varchar', 'bpchar', 'text'],
];

/** The columns of each kind that values are written to, encoded and judged. */
const columns = (): Probe[] =>
  [
    ...SCALARS.map((base) => column('c', base, { length: 40 })),
    column('c', 'numeric', { precision: 10, scale: 2, type: 'numeric(10,2)' }),
    column('c', '_int4', { kind: 'array', type: 'integer[]', element: 'int4' }),
    column('c', 'mood', { kind: 'enum', labels: ['good', 'bad'] }),
  ].map((each) => {
    const encoder = copyEncoder([each]);
    return {
      name: `a column of type ${each.type}`,
      run: (text) => encoder.encode([{ c: text }, { c: [text] }], new CopyBuffer(1 << 16), () => {}),
    };
  });

const TRANSFORMS = [
  ...[
    'trim',
    'collapse_spaces',
    'multiline',
    'title_case',
    'email_lower',
    'phone_format',
    'species_map',
    'yes_no',
  ],
  ...['date_parse', 'date_parse(%d de %m de %Y)', 'money', "money(',')", 'number(kg)', 'split_name'],
  ...['enum(a=b, *=c)', 'default(x)', "concat(' ', other)"],
];

const transforms = (): Probe[] => [
  ...TRANSFORMS.map((text) => {
    const { field } = makeTransforms(text);
    return {
      name: `the transform ${text}`,
      run: (value: string) => field(value, { c: value, other: value }),
    };
  }),
  { name: 'transforms that are written so', run: (text) => makeTransforms(text) },
  ...(['text', 'shortlex', 'number', 'integer'] as const).map((as): Probe => {
    const write = keyWriter({ column: 'c', as });
    return { name: `sorting by ${as}`, run: (text) => write({ c: text }, new KeyBytes()) };
  }),
  ...[
    'date',
    'date-time',
    'time',
    'duration',
    'email',
    'hostname',
    'ipv4',
    'ipv6',
    'uuid',
    'json-pointer',
    'byte',
  ].map((format): Probe => {
    const judge = validator({ type: 'object', properties: { c: { type: 'string', format } } });
    return { name: `the format ${format}`, run: (text) => judge({ c: text }) };
  }),
  ...(['number', 'integer', 'boolean'] as const).map((type): Probe => {
    const judge = validator({ type: 'object', properties: { c: { type } } });
    return { name: `the schema type ${type}`, run: (text) => judge({ c: text }) };
  }),
];

const line = (text: string) => {
  const bytes = Buffer.from(text);
  return { text, number: 1, offset: 0, bytes, from: 0, to: bytes.length };
};

/** `text` in pieces of 4 KiB. */
function* pieces(text: string): Generator<Buffer> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 4096) yield bytes.subarray(at, at + 4096);
}

const csv = (text: string, head = 'a,b\n') => {
  const parser = strictParser('input', {}, { reject: () => {} });
  parser.push(Buffer.from(head));
  for (const piece of pieces(text)) parser.push(piece);
  parser.end();
};

const jsonTokens = (text: string) => {
  const reader = new ElementReader([], () => {});
  const parse = tokenParser(true);
  const tell = (piece: string | undefined) => {
    for (const token of parse(piece)) reader.token(token);
  };
  for (const piece of pieces(text)) tell(piece.toString('latin1'));
  tell(undefined);
};

const readers: readonly Probe[] = [
  { name: 'CSV, a line', run: (text) => csv(text) },
  { name: 'CSV, a cell in quotes', run: (text) => csv(`"${text}",b\n`) },
  { name: 'CSV, quotes that are not closed', run: (text) => csv(`"${text}`) },
  { name: 'CSV, the header', run: (text) => csv(text, '') },
  { name: 'CSV, the line that names the separator', run: (text) => separatorLine(Buffer.from(text)) },
  { name: 'the names in a header', run: (text) => callColumns(text.split(','), 'input') },
  { name: 'a column by its position', run: (text) => columnMeant(['a', 'b'], text) },
  { name: 'the layout of JSON', run: (text) => layoutOf(Buffer.from(text)) },
  { name: 'the layout of JSON, within an object', run: (text) => layoutOf(Buffer.from(`{"a":${text}`)) },
  { name: 'a line of JSON', run: (text) => rowOf(line(`{"a":${text}}`), { reject: () => {} }) },
  {
    name: 'a string in a line of JSON',
    run: (text) => rowOf(line(`{"a":${JSON.stringify(text)}}`), { reject: () => {} }),
  },
  { name: 'a key of JSON twice', run: (text) => duplicateKey(`{"a":${text},"a":1}`) },
  {
    name: 'lines, in pieces',
    run: (text) => {
      const splitter = new LineSplitter('input', 1 << 26);
      for (const piece of pieces(text)) splitter.push(piece, () => {});
      splitter.end(() => {});
    },
  },
  { name: 'a document of JSON, in pieces', run: (text) => jsonTokens(`[${text}]`) },
  { name: 'a string of JSON, in pieces', run: (text) => jsonTokens(`[{"a":${JSON.stringify(text)}}]`) },
  { name: 'JSON with exact numbers', run: (text) => jsonText(parseJson(`[${text}]`)) },
  { name: 'a number of JSON', run: (text) => jsonText(parseJson(`[${text.replace(/[^0-9]/g, '1')}]`)) },
  { name: 'the type of a column of SQLite', run: (text) => typeOf(text) },
  ...(['boolean', ...DATE_UNITS.map((unit) => `date ${unit}` as const)] as const).map(
    (as): Probe => ({
      name: `a cell of SQLite as ${as}`,
      run: (text) => readerOf(as)?.(text),
    }),
  ),
  { name: 'a query', run: (text) => bare(text) },
];

const masking = new Masking(['phone']);
const latin1 = ledgerText('LATIN1');

const around: readonly Probe[] = [
  ...Object.entries(OWN_TEXT).map(
    ([type, own]): Probe => ({ name: `whether ${type} keeps it`, run: (text) => own.keeps(text, 'text') }),
  ),
  { name: 'the name of a table', run: (text) => readings(text) },
  {
    name: 'a name that is not known',
    run: (text) => nearest(text, [text.slice(1), 'serial_number', `${text}x`]),
  },
  { name: 'a limit of rejects', run: (text) => parseRejectLimit(text) },
  { name: 'a word of a command', run: (text) => shellWord(text) },
  { name: 'a list of names', run: (text) => formatList([text, text]) },
  {
    name: 'a cell of a file of rejects',
    run: (text) => [escapeFormula(text), unescapeFormula(text), cellText(text)],
  },
  { name: 'what is shown', run: (text) => shown(text) },
  { name: 'a table that is shown', run: (text) => table(['a', 'b'], [[text.slice(0, 20_000), 'x']]) },
  { name: 'what a ledger in LATIN1 keeps', run: (text) => latin1?.decode(latin1.encode(text)) },
  {
    name: 'a message with masked values',
    run: (text) => masking.details([text, `Key (phone)=(${text}) already exists.`, `Key (${text})=(x)`]),
  },
  {
    name: 'where an error comes from',
    run(text) {
      const stack = `Error: ${text}\n    at ${text} (file:///x/${text}.js:1:2)\n    at /${text}:3:4`;
      stackOf(Object.assign(new Error('x'), { stack }));
      userFrames(stack);
    },
  },
];

const pipelines: readonly Probe[] = [
  { name: 'lines of an invoice', run: (text) => invoiceLines(text) },
  { name: 'the number of a LOT', run: (text) => monthOfOldNumber(text) },
  { name: 'a timestamp of milestones', run: (text) => timestamp(text, 'c') },
  { name: 'a timestamp of recipes', run: (text) => utcTimestamp(text) },
  { name: 'an id of recipes', run: (text) => idOf(text) },
];

/** Everything that takes a text out of an input. */
export const probes = (): readonly Probe[] => [
  ...columns(),
  ...transforms(),
  ...readers,
  ...around,
  ...pipelines,
];
