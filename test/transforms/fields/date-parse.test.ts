import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SluiceError } from '../../../src/core/errors/sluice-error.js';
import { dateParse, FieldError } from '../../../transforms/index.js';

const parse = dateParse();

test('a date is read by the first of the four formats that fits, in the order of the document', () => {
  assert.equal(parse('2024-03-09'), '2024-03-09');
  assert.equal(parse('09/03/2024'), '2024-03-09', 'the day comes before the month');
  assert.equal(parse('09-03-2024'), '2024-03-09');
  assert.equal(parse('03/25/2024'), '2024-03-25', 'no month is the 25th');
  assert.equal(parse('9/3/2024'), '2024-03-09', 'strptime takes single digits, too');
});

test('dates that the calendar does not have are refused, leap years known', () => {
  for (const value of ['31/02/2024', '2023-02-29', '1900-02-29', '2024-04-31', '00/01/2024', '0000-01-01'])
    assert.throws(
      () => parse(value),
      (error) => error instanceof FieldError && error.reason === 'bad_date' && error.message.includes(value),
      value,
    );
  assert.equal(parse('29/02/2024'), '2024-02-29');
  assert.equal(parse('2000-02-29'), '2000-02-29');
});

test('text around a date, two-digit years and words are no dates', () => {
  for (const value of [
    '',
    ' 2024-03-09',
    '2024-03-09 ',
    '2024-03-09T00:00',
    '09/03/24',
    'ayer',
    '2024/03/09',
  ])
    assert.throws(() => parse(value), FieldError, JSON.stringify(value));
});

test('an ambiguous day and month is settled by the order and noted; one that is not ambiguous is not', () => {
  const noted: string[] = [];
  const noting = dateParse({ note: (reason, value) => noted.push(`${reason} ${value}`) });
  assert.equal(noting('03/04/2024'), '2024-04-03');
  assert.equal(noting('25/04/2024'), '2024-04-25');
  assert.equal(noting('04/25/2024'), '2024-04-25');
  assert.equal(noting('04/04/2024'), '2024-04-04', 'either way it is the same day');
  assert.equal(noting('03-04-2024'), '2024-04-03', 'no other format has this sign');
  assert.deepEqual(noted, ['ambiguous_date 03/04/2024']);
});

test('formats can be given, with times of day and years of two digits', () => {
  assert.equal(dateParse({ formats: ['%m/%d/%Y', '%d/%m/%Y'] })('03/04/2024'), '2024-03-04');
  assert.equal(dateParse({ formats: ['%d/%m/%Y %H:%M'] })('03/04/2024 9:05'), '2024-04-03 09:05:00');
  assert.equal(dateParse({ formats: ['%d.%m.%y'] })('03.04.68'), '2068-04-03');
  assert.equal(dateParse({ formats: ['%d.%m.%y'] })('03.04.69'), '1969-04-03');
  assert.equal(dateParse({ formats: ['(%Y%m%d)'] })('(20240403)'), '2024-04-03');
  assert.throws(() => dateParse({ formats: ['%d/%m/%Y %H:%M'] })('03/04/2024 25:00'), FieldError);
});

test('a format that cannot give a date is refused when it is made', () => {
  for (const format of ['%d/%m', '%Y-%m-%q', '%Y-%m-%d %Y', '%y %Y-%m-%d', '%Y-%m-%d :%M'])
    assert.throws(
      () => dateParse({ formats: [format] }),
      (error) => error instanceof SluiceError && error.code === 'bad_transform',
      format,
    );
});
