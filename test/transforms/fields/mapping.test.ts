import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { markOrigin, originOf } from '../../../src/core/row.js';
import {
  compileMapping,
  type FieldProblem,
  type MappedField,
  makeTransforms,
  parseTransforms,
  transformFault,
} from '../../../transforms/index.js';

const field = (sourceField: string, targetField: string, more: Partial<MappedField> = {}): MappedField => ({
  sourceField,
  targetField,
  transform: '',
  isRequired: false,
  defaultValue: '',
  ...more,
});

function make(mappings: readonly MappedField[], record: Record<string, unknown>) {
  const problems: FieldProblem[] = [];
  const row = compileMapping(mappings).make(record, problems);
  return { row, problems };
}

const codeOf = (work: () => unknown) => {
  try {
    work();
  } catch (error) {
    if (error instanceof SluiceError) return error.code;
    throw error;
  }
  return 'none';
};

test('the text of a mapping is calls joined by |, with arguments bare or quoted', () => {
  assert.deepEqual(parseTransforms(''), []);
  assert.deepEqual(parseTransforms(' trim|date_parse( %d/%m/%Y , %Y-%m-%d ) '), [
    { name: 'trim', args: [] },
    { name: 'date_parse', args: ['%d/%m/%Y', '%Y-%m-%d'] },
  ]);
  assert.deepEqual(parseTransforms("concat(', ', 'O''Brien (a|b)', Hora) | enum()"), [
    { name: 'concat', args: [', ', "O'Brien (a|b)", 'Hora'] },
    { name: 'enum', args: [] },
  ]);
});

test('what cannot be read is refused with its place', () => {
  for (const [text, place] of [
    ['trim |', 7],
    ['Trim', 1],
    ['trim(', 6],
    ['trim(a', 7],
    ["default('a", 11],
    ['trim trim', 6],
    ['trim(a))', 8],
  ] as const)
    assert.throws(
      () => parseTransforms(text),
      (error) => error instanceof SluiceError && error.message.includes(`at character ${place}`),
      text,
    );
});

test('a transform that there is not is refused, and the one that was meant is named', () => {
  assert.match(
    transformFault('trim | dat_parse') as string,
    /no transform "dat_parse"; did you mean date_parse/,
  );
  assert.equal(transformFault('trim | date_parse(%d/%m/%Y)'), undefined);
  assert.equal(
    codeOf(() => makeTransforms('__proto__')),
    'bad_transform',
  );
});

test('arguments that a transform cannot use are refused when it is made', () => {
  for (const text of [
    ...['trim(x)', 'date_parse(%d)', 'money(;)', 'enum', 'enum(perro)', 'default', "concat(' ')"],
    ...['split_name | trim', 'split_name(2)'],
  ])
    assert.notEqual(transformFault(text), undefined, text);
});

test('a record becomes a row of the target columns, with its origin', () => {
  const mapping = compileMapping(
    [
      field('Nombre', 'name', { transform: 'collapse_spaces | title_case' }),
      field('Alta', 'since', { transform: 'date_parse', defaultValue: '1970-01-01' }),
    ],
    { columns: ['id', 'name', 'since'] },
  );
  const row = mapping.make(markOrigin({ Nombre: ' ANA  RÍOS ', Alta: null }, 7), []);
  assert.deepEqual({ ...row }, { ...row, id: null, name: 'Ana Ríos', since: '1970-01-01' });
  assert.deepEqual(Object.keys(row), ['id', 'name', 'since']);
  assert.equal(originOf(row), 7);
  assert.equal(mapping.fieldOf('since'), 'Alta');
});

test('all that is wrong with a record is told at once, with field and value; what is wrong is NULL', () => {
  const { row, problems } = make(
    [
      field('Nombre', 'name', { isRequired: true }),
      field('Alta', 'since', { transform: 'date_parse' }),
      field('Activo', 'active', { transform: 'yes_no', defaultValue: 'true' }),
      field('Notas', 'notes'),
    ],
    { Nombre: '', Alta: '31/02/2024', Activo: 'quizás', Notas: 'a\0b' },
  );
  assert.deepEqual(
    problems.map(({ field: name, reason, value }) => [name, reason, value]),
    [
      ['Nombre', 'required', ''],
      ['Alta', 'bad_date', '31/02/2024'],
      ['Activo', 'not_yes_or_no', 'quizás'],
      ['Notas', 'nul_character', 'a\0b'],
    ],
  );
  assert.match((problems[1] as FieldProblem).message, /^Alta: Cannot parse date: 31\/02\/2024$/);
  assert.deepEqual(Object.values(row), [null, null, null, null]);
});

test('one field can fill two columns, and one column can be made of two fields', () => {
  const { row, problems } = make(
    [
      field('Titular', 'first_name+last_name', { transform: 'split_name' }),
      field('Fecha', 'at', { transform: "concat(' ', Hora)" }),
    ],
    { Titular: 'Juan Pérez', Fecha: '2024-01-01', Hora: '9:30' },
  );
  assert.deepEqual(problems, []);
  assert.deepEqual({ ...row }, { first_name: 'Juan', last_name: 'Pérez', at: '2024-01-01 9:30' });
  const mapping = compileMapping([field('Fecha', 'at', { transform: "concat(' ', Hora)" })]);
  assert.deepEqual(mapping.fields, ['Fecha', 'Hora'], 'so that a file without the other field is refused');
});

test('a name of one word is there, and what it lacks is for the default', () => {
  const name = (more: object) =>
    field('Titular', 'first_name+last_name', { transform: 'split_name', ...more });
  const one = make([name({ isRequired: true })], { Titular: 'Madonna' });
  assert.deepEqual(one.problems, [], 'the field has a value');
  assert.deepEqual({ ...one.row }, { first_name: 'Madonna', last_name: null });
  const given = make([name({ defaultValue: '-' })], { Titular: 'Madonna' });
  assert.deepEqual({ ...given.row }, { first_name: 'Madonna', last_name: '-' });
  const none = make([name({ isRequired: true })], { Titular: ' ' });
  assert.deepEqual(
    none.problems.map(({ reason, field: at }) => [reason, at]),
    [['required', 'Titular']],
    'once, and not for each column',
  );
});

test('mappings that contradict one another are refused before any row', () => {
  assert.equal(
    codeOf(() => compileMapping([field('a', 'x'), field('b', 'x')])),
    'bad_mapping',
  );
  assert.equal(
    codeOf(() => compileMapping([field('a', 'x')], { columns: ['y'] })),
    'bad_mapping',
  );
  assert.equal(
    codeOf(() => compileMapping([field('a', 'x+y')])),
    'bad_mapping',
  );
  assert.equal(
    codeOf(() => compileMapping([field('a', 'x', { transform: 'split_name' })])),
    'bad_mapping',
  );
  assert.equal(
    codeOf(() => compileMapping([field('a', 'x', { transform: 'nope' })])),
    'bad_mapping',
  );
});

test('values that are no text are read as text, as JSON files have them', () => {
  const { row } = make([field('n', 'n'), field('b', 'b'), field('o', 'o'), field('absent', 'absent')], {
    n: 12.5,
    b: true,
    o: { a: [1] },
  });
  assert.deepEqual({ ...row }, { n: '12.5', b: 'true', o: '{"a":[1]}', absent: null });
});

test('names of fields and columns never become code', () => {
  const evil = `"]; throw new Error('ran'); //`;
  const { row } = make([field(evil, `x${evil}`), field('__proto__', '__proto__')], { [evil]: 'v' });
  assert.equal(row[`x${evil}`], 'v');
  assert.equal(Object.getPrototypeOf(row), Object.prototype);
  assert.ok(Object.hasOwn(row, '__proto__'));
});

test('what is worth counting is told with its field', () => {
  const noted: string[] = [];
  const mapping = compileMapping([field('Alta', 'since', { transform: 'trim | date_parse' })], {
    note: (name, reason, value) => noted.push(`${name} ${reason} ${value}`),
  });
  mapping.make({ Alta: ' 03/04/2024' }, []);
  assert.deepEqual(noted, ['Alta ambiguous_date 03/04/2024']);
});
