import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Masking } from '../../../src/run/given/masking.js';

const [phone] = [new Masking(['phone'])];
const told = (text: string) => phone.details([text])[0];

test('a masked value is in no key that the server tells, however many columns the key has', () => {
  assert.equal(told('Key (phone)=(0171) already exists.'), 'Key (phone)=([masked]) already exists.');
  assert.equal(
    told('Key (id, "phone")=(1, 0171) is not present in table "t".'),
    'Key (id, "phone")=([masked]) is not present in table "t".',
  );
  assert.equal(
    told('Key (a, phone)=(1, x) conflicts with existing key (a, phone)=(1, y).'),
    'Key (a, phone)=([masked]) conflicts with existing key (a, phone)=([masked]).',
  );
  assert.equal(told('Key (id)=(0171) already exists.'), 'Key (id)=(0171) already exists.');
});

test('neither line breaks and brackets in the value nor an expression around the column show it', () => {
  assert.equal(told('Key (phone)=(01\n71) (home) already exists.'), 'Key (phone)=([masked]) already exists.');
  assert.equal(
    told('Key (lower(phone))=(0171) already exists.'),
    'Key (lower(phone))=([masked]) already exists.',
  );
});
