import { append, merge, patch, replace } from '../../src/core/target.js';

/** A small live system: parts under models, a view, grants-free; what tests of the engine publish into. */
export const SYSTEM = `
CREATE TABLE models (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE parts (id int PRIMARY KEY, model_id int NOT NULL REFERENCES models, amount int NOT NULL);
CREATE TABLE notes (id int PRIMARY KEY, part_id int REFERENCES parts ON DELETE CASCADE);
CREATE VIEW stock AS SELECT m.name, sum(p.amount) AS amount FROM models m JOIN parts p ON p.model_id = m.id GROUP BY m.name;
INSERT INTO models SELECT i, 'model ' || i FROM generate_series(1, 5) i;
INSERT INTO parts SELECT i, i, 0 FROM generate_series(1, 5) i;
INSERT INTO notes VALUES (1, 1);
`;

const PARTS = { columns: ['id', 'model_id', 'amount'] as const };
const KEY = { ...PARTS, key: ['id'] as const };

/** `parts` published in each mode. */
export const PARTS_BY = {
  replace: replace('parts', PARTS),
  append: append('parts', PARTS),
  merge: merge('parts', KEY),
  patch: patch('parts', KEY),
};

export const MODELS = replace('models', { columns: ['id', 'name'] as const });

/** Rows for `models`, from 1 to n. */
export const models = (n: number, name = 'new') =>
  Array.from({ length: n }, (_, i) => ({ id: i + 1, name: `${name} ${i + 1}` }));

/** Rows for `parts`; `from` is the first id. */
export const parts = (n: number, amount: number, from = 1) =>
  Array.from({ length: n }, (_, i) => ({ id: from + i, model_id: 1 + (i % 5), amount }));

/** What a mode publishes in tests: an append can only add. */
export const rowsFor = (mode: keyof typeof PARTS_BY) => (mode === 'append' ? parts(3, 7, 11) : parts(5, 7));
