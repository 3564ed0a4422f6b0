import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  collapseSpaces,
  concat,
  defaultTo,
  emailLower,
  enumOf,
  FieldError,
  money,
  multiline,
  number,
  phoneFormat,
  speciesMap,
  splitName,
  titleCase,
  trim,
  yesNo,
} from '../../../transforms/index.js';

const reasonOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof FieldError) return error.reason;
    throw error;
  }
  return 'none';
};

test('phone_format: ten digits get +52, twelve that begin with 52 get +, anything else stays', () => {
  assert.equal(phoneFormat('55 1234 5678'), '+525512345678');
  assert.equal(phoneFormat('(33) 3615-4420'), '+523336154420');
  assert.equal(phoneFormat('+52 33 1098 7766'), '+523310987766');
  assert.equal(phoneFormat('52-33-1098-7766'), '+523310987766');
  for (const value of [
    '12345',
    '+1 (555) 123-4567',
    '044 55 1234 5678',
    '12 digits 49 33 1098 776',
    'n/d',
    '',
  ])
    assert.equal(phoneFormat(value), value);
});

test('species_map: the table of the document, whatever the case; what it lacks is other', () => {
  const found = ['perro', 'GATO', 'Ave', 'conejo', 'Hamster', 'Tortuga', ' perro', ''].map(speciesMap);
  assert.deepEqual(found, ['dog', 'cat', 'bird', 'rabbit', 'hamster', 'other', 'other', 'other']);
});

test('money and numbers are read digit for digit, with points or commas', () => {
  const read = money();
  for (const [value, made] of [
    ['1.234,56', '1234.56'],
    ['1,234.56', '1234.56'],
    ['$1,234.56', '1234.56'],
    ['$ 350 MXN', '350'],
    ['350', '350'],
    ['0.5', '0.5'],
    ['12,5', '12.5'],
    ['1.234.567', '1234567'],
    ['-$12.50', '-12.50'],
    ['00012.50', '12.50'],
    ['90,071,992,547,409,931.25', '90071992547409931.25'],
  ] as const)
    assert.equal(read(value), made, value);
  assert.equal(number({ units: ['kg'] })('28,5 kg'), '28.5');
  assert.equal(number({ units: ['kg'] })('4.2'), '4.2');
});

test('an amount that may be a thousand times another is refused unless the mark is given', () => {
  for (const value of ['1.234', '1,234'])
    assert.equal(
      reasonOf(() => money()(value)),
      'ambiguous_number',
      value,
    );
  assert.equal(money('.')('1,234'), '1234');
  assert.equal(number({ mark: ',' })('1.234'), '1234');
  assert.equal(number({ mark: ',' })('12,50'), '12.50');
  assert.equal(
    reasonOf(() => money('.')('1.234,56')),
    'not_a_number',
  );
  assert.equal(
    reasonOf(() => money('.')('1.234')),
    'too_many_decimals',
  );
});

test('what is no number is refused', () => {
  for (const value of ['', 'gratis', '1.2.3', '12,34,56', '1,2345.6', '--5', '1e3', '$'])
    assert.equal(
      reasonOf(() => money()(value)),
      'not_a_number',
      JSON.stringify(value),
    );
});

test('yes and no, in Spanish and English, accents or not', () => {
  for (const value of ['Sí', 'si', 'SI', 's', 'yes', '1', 'Verdadero', ' x '])
    assert.equal(yesNo(value), 'true');
  for (const value of ['No', 'N', '0', 'falso']) assert.equal(yesNo(value), 'false');
  assert.equal(
    reasonOf(() => yesNo('tal vez')),
    'not_yes_or_no',
  );
});

test('a list of words: accents, case and spaces do not matter; another word is refused or becomes the rest', () => {
  const strict = enumOf({ 'no asistió': 'no_show', programada: 'scheduled' });
  assert.equal(strict(' No asistio '), 'no_show');
  assert.equal(
    reasonOf(() => strict('quizás')),
    'not_in_list',
  );
  assert.equal(
    reasonOf(() => strict('constructor')),
    'not_in_list',
    'a name of every object is no word',
  );
  assert.equal(enumOf({ macho: 'male' }, 'unknown')('?'), 'unknown');
});

test('names: capitals, and given names apart from surnames', () => {
  assert.equal(titleCase('JOSÉ DE LA CRUZ'), 'José de la Cruz');
  assert.equal(titleCase('ángel o’connor-peña'), 'Ángel O’connor-Peña');
  assert.equal(titleCase('Sofía McAllister'), 'Sofía McAllister', 'somebody wrote it so');
  assert.equal(titleCase('DE LA FUENTE'), 'De la Fuente');
  const split = (value: string | null) => splitName(value, {});
  assert.deepEqual(split('María Fernanda García López'), ['María Fernanda', 'García López']);
  assert.deepEqual(split('García López,  María'), ['María', 'García López']);
  assert.deepEqual(split('Juan Pérez'), ['Juan', 'Pérez']);
  assert.deepEqual(split('María de la Cruz Pérez'), ['María', 'de la Cruz Pérez']);
  assert.deepEqual(split('Madonna'), ['Madonna', null], 'one word is a given name');
  assert.deepEqual(split('Juan de León'), ['Juan', 'de León']);
  assert.deepEqual(split('  '), [null, null]);
  assert.deepEqual(split(null), [null, null]);
});

test('spaces, lines, addresses, defaults and joined fields', () => {
  assert.equal(trim('\u00a0 Ana '), 'Ana');
  assert.equal(collapseSpaces('  Av.\u00a0Juárez \n 5  '), 'Av. Juárez 5');
  assert.equal(collapseSpaces('Av. Juárez 5'), 'Av. Juárez 5');
  assert.equal(multiline(' una\r\notra\rmás\n '), 'una\notra\nmás');
  assert.equal(emailLower(' Ana@Example.COM '), 'ana@example.com');
  assert.equal(defaultTo('x')(null, {}), 'x');
  assert.equal(defaultTo('x')('  ', {}), 'x');
  assert.equal(defaultTo('x')('y', {}), 'y');
  const joined = concat(' ', 'Hora');
  assert.equal(joined('2024-01-01', { Hora: ' 9:30 ' }), '2024-01-01 9:30');
  assert.equal(joined(null, { Hora: '9:30' }), '9:30');
  assert.equal(joined(null, { Hora: null }), null);
});
