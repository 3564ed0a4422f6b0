import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { rowRefusal } from '../../sinks/publish/rows/refusals.js';
import type { RowTarget } from '../../sinks/publish/rows/target.js';
import { SluiceError } from '../../src/core/errors/sluice-error.js';
import { testDatabase } from './database.js';

/** A shop with the awkward cases: types without equality, generated and identity columns, triggers. */
export const SHOP = `
CREATE TABLE customers (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  email text NOT NULL UNIQUE,
  name text,
  balance numeric,
  settings json,
  place point,
  note xml,
  shout text GENERATED ALWAYS AS (upper(name)) STORED,
  order_count integer NOT NULL DEFAULT 0,
  updated_at timestamptz NOT NULL DEFAULT '2020-01-01'
);
CREATE TABLE orders (
  region text,
  number integer,
  customer_id bigint NOT NULL REFERENCES customers ON DELETE CASCADE,
  total numeric(10,2),
  PRIMARY KEY (region, number)
);
CREATE TABLE visits (at timestamptz, page text, weight double precision);
INSERT INTO customers (email, name, balance, settings, place, note)
  SELECT 'c' || i || '@x', 'name ' || i, i, '{"a": 1}', point(i, i), '<a/>' FROM generate_series(1, 5) i;
INSERT INTO orders SELECT 'north', i, i, i * 10 FROM generate_series(1, 4) i;
INSERT INTO visits VALUES ('2024-01-01', 'home', 1), ('2024-01-01', 'home', 1), (NULL, NULL, NULL);
`;

/** A BEFORE trigger that stamps the row, and an AFTER trigger that keeps a counter in another table. */
export const SHOP_TRIGGERS = `
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.updated_at := clock_timestamp(); RETURN NEW; END';
CREATE TRIGGER stamp BEFORE UPDATE OF email, name, balance, settings ON customers FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE FUNCTION recount() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN
  UPDATE public.customers c SET order_count = (SELECT count(*) FROM public.orders o WHERE o.customer_id = c.id)
  WHERE c.id IN (NEW.customer_id, OLD.customer_id); RETURN NULL; END';
CREATE TRIGGER recount AFTER INSERT OR UPDATE OR DELETE ON orders FOR EACH ROW EXECUTE FUNCTION recount();
`;

/** A target in the shop, all columns of orders being ORDER. */
export const table = (
  name: string,
  mode: RowTarget['mode'],
  columns: readonly string[],
  more: Partial<RowTarget> = {},
): RowTarget => ({ schema: 'public', table: name, mode, columns, ...more });

export const ORDER = ['region', 'number', 'customer_id', 'total'];

/** The shop in a database of the test's own, and `sql` run after it. */
export async function shop(t: TestContext, sql = '') {
  const database = await testDatabase(t);
  const client = await database.connect();
  await client.query(SHOP + sql);
  return { database, client };
}

/** The refusal that `work` ends in; anything else fails the test. */
export async function said(work: Promise<unknown>): Promise<SluiceError> {
  try {
    await work;
  } catch (error) {
    const refusal = error instanceof SluiceError ? error : rowRefusal(error);
    if (refusal !== undefined) return refusal;
    throw error;
  }
  assert.fail('nothing was refused');
}

/** The details of a refusal, a line each. */
export const lines = (error: SluiceError) => error.facts.details?.join('\n') ?? '';
