import { SEES_ALL } from '../../../src/core/errors/catalogue/connection.js';
import type { NextStep } from '../../../src/core/next.js';
import type { CompiledFunction, Dependent } from '../../../src/db/catalog/dependents.js';
import type { TableFacts } from '../../../src/db/catalog/facts.js';
import type { HiddenRows } from '../../../src/db/catalog/hidden-rows.js';
import type { Obstacle } from '../../../src/db/catalog/obstacles.js';
import { literal } from '../../../src/db/quote.js';
import { policiesText } from '../../../src/db/row-security.js';

/** Why a table cannot be replaced: which object stands in the way, why, and what to do about it. */
export interface Refusal {
  /** `schema.table`. */
  readonly table: string;
  readonly object: string;
  /** A clause without its full stop. */
  readonly reason: string;
  /** What makes the replace possible. */
  readonly next: readonly NextStep[];
  /**
   * Whether what stands in the way would not, were the table to stay the one that it is: then it can be published by
   * differences (sync), if that is possible otherwise.
   */
  readonly stays: boolean;
}

/** Reason, what to do, and whether the table may stay. */
type Why = readonly [reason: string, next: string | readonly string[], stays?: 'stays'];

const OBSTACLES: Record<Obstacle['code'], (object: string) => Why> = {
  partition: (statements) => [
    'the table is a partition',
    `take it out of the whole for the run: ${statements}`,
    'stays',
  ],
  inheritance: (object) => [`the table inherits from ${object}`, [], 'stays'],
  inherited: (object) => [
    `${object} inherits from it, and would be left behind`,
    `publish into ${object} itself, where its rows are meant and it has a key of its own, by sync or merge; or make this a partitioned table`,
  ],
  typed: (object) => [`the table is typed (OF ${object})`, 'ALTER TABLE … NOT OF', 'stays'],
  extension: (object) => [`it belongs to an extension: ${object}`, [], 'stays'],
  extension_part: (object) => [
    `it is marked as depending on an extension: ${object}`,
    'ALTER … NO DEPENDS ON EXTENSION before the run',
    'stays',
  ],
  publication: (object) => [
    `the table is published by ${object}; subscribers would keep the old rows`,
    'take it out of the publication, and resynchronise the subscribers afterwards',
    'stays',
  ],
  publication_of_all: (object) => [
    `the table is published by ${object}, FOR ALL TABLES; subscribers would keep the old rows, and stop at Sluice's own tables, which are published, too`,
    `make of ${object} a publication of the tables, or schemas, that subscribers have (FOR TABLE, FOR TABLES IN SCHEMA); then publish the differences (sync)`,
  ],
  subscription: (object) => [
    `the table receives changes from subscription ${object}, which would skip the new table`,
    `drop the subscription, and create it again afterwards`,
  ],
  security_label: (object) => [`a security label is on ${object}`, 'take the label off', 'stays'],
  disabled_key: (object) => [
    `the triggers behind foreign key ${object} are disabled`,
    'ALTER TABLE … ENABLE TRIGGER ALL before the run',
  ],
  whole_row: (object) => [
    `constraint ${object} refers to the whole row, which no new table can be given`,
    [],
    'stays',
  ],
  statistics_name: (object) => [
    `several statistics objects of the tables are named ${object}, in different schemas`,
    'ALTER STATISTICS … RENAME TO … one of them',
    'stays',
  ],
  not_owner: (object) => [
    `the table belongs to ${object}, whose rights the connected role lacks`,
    `GRANT ${object} to the role that runs this, or connect as ${object}`,
  ],
  schema_create: (object) => [
    `the connected role may not create in schema ${object}`,
    `GRANT CREATE ON SCHEMA ${object} to the role that runs this`,
    'stays',
  ],
  database_create: (object) => [
    `the connected role may not create schemas in database ${object}`,
    `GRANT CREATE ON DATABASE ${object} to the role that runs this`,
  ],
  grantor: (object) => [
    `a privilege on it was granted by ${object}, as whom the connected role cannot grant it again`,
    `GRANT ${object} to the role that runs this (and USAGE on the schema to ${object}), or revoke that grant`,
    'stays',
  ],
  prepared_transaction: (object) => [
    `prepared transaction ${object} holds a lock on it, until somebody ends it`,
    `COMMIT PREPARED or ROLLBACK PREPARED ${literal(object)}`,
  ],
};

const KINDS: Record<string, string> = {
  p: 'a partitioned table',
  f: 'a foreign table',
  v: 'a view',
  m: 'a materialized view',
  S: 'a sequence',
  c: 'a composite type',
};

/** Every reason not to replace the tables, by name and with the way out. Pure. */
export function refusalsFor(
  tables: readonly TableFacts[],
  dependents: readonly Dependent[],
  compiled: readonly CompiledFunction[],
  obstacles: readonly Obstacle[],
  hidden: readonly HiddenRows[] = [],
): Refusal[] {
  const refusals: Refusal[] = [];
  const nameOf = (oid: number | undefined) => {
    const table = tables.find((each) => each.oid === oid);
    return table === undefined ? String(oid) : `${table.schema}.${table.table}`;
  };
  const refuse = (oid: number | undefined, object: string, [reason, next, stays]: Why) =>
    refusals.push({ table: nameOf(oid), object, reason, next: [next].flat(), stays: stays !== undefined });

  // What is no table, or a part of one, is refused for that: everything else about it would only hide the reason.
  const hopeless = new Set([
    ...tables.filter(({ kind }) => KINDS[kind] !== undefined).map(({ oid }) => oid),
    ...obstacles.filter(({ code }) => code === 'partition').map(({ target }) => target),
  ]);
  const open = (oid: number | undefined) => oid === undefined || !hopeless.has(oid);
  for (const table of tables) {
    const kind = KINDS[table.kind];
    if (kind !== undefined) {
      const parts = table.kind === 'p';
      refuse(
        table.oid,
        nameOf(table.oid),
        parts ? [`it is ${kind}`, [], 'stays'] : [`it is ${kind}`, 'name the table that holds its rows'],
      );
      continue;
    }
    if (table.persistence === 't') {
      refuse(table.oid, nameOf(table.oid), ['it is temporary', 'load into an ordinary table']);
    }
    for (const index of table.indexes.filter((each) => !each.valid)) {
      refuse(table.oid, `index ${index.name}`, [
        'the index is invalid (a CREATE INDEX CONCURRENTLY failed?)',
        'REINDEX or drop it',
        'stays',
      ]);
    }
  }
  for (const { target, code, object } of obstacles)
    if (open(target) || code === 'partition') refuse(target, nameOf(target), OBSTACLES[code](object));
  for (const { target, table, key, policies } of hidden.filter((each) => open(each.target))) {
    const unseen = `row-level security hides rows from this role (${policiesText(policies)})`;
    const then = key === null ? '' : `, so that foreign key ${key} could not be checked`;
    refuse(target, table, [`${unseen}${then}`, `Connect as ${SEES_ALL}.`]);
  }
  for (const each of dependents.filter(({ targets }) => open(targets[0]))) {
    const why = againstDependent(each);
    if (why !== undefined) refuse(each.targets[0], each.label, why);
  }
  for (const each of compiled.filter((one) => one.rowType && !one.owned && open(one.target))) {
    refuse(each.target, `function ${each.signature}`, [
      "it uses the table's row type and belongs to another role, so open sessions cannot be told to recompile it",
      'GRANT its owner to the role that runs this',
      'stays',
    ]);
  }
  return refusals;
}

function againstDependent(each: Dependent): Why | undefined {
  if (each.kind === 'other') {
    return each.part.includes('row type')
      ? [
          "it uses the table's row type, which a swap cannot move",
          'use plain columns there, or drop it',
          'stays',
        ]
      : [
          `it depends on the table's ${each.part} in a way that is not known to survive (${each.catalog})`,
          'drop it for the run',
          'stays',
        ];
  }
  if (each.kind === 'materialized view') {
    return [
      'it reads the table directly and would keep the old rows',
      'let it read the table through a view, or drop it and create it again afterwards',
      'stays',
    ];
  }
  if (each.kind === 'view' && each.temporary) {
    return ['a session has a temporary view on the table', 'end that session', 'stays'];
  }
  if (each.kind === 'foreign key' && (each.inherited || each.childKind !== 'r')) {
    return ['the key is on a partitioned table, where it cannot be prepared without long locks', [], 'stays'];
  }
  if (each.kind === 'function' && each.definition === null) {
    return ['it is an aggregate or window function over the table', 'drop it for the run', 'stays'];
  }
  if (each.kind === 'rule' && 'vm'.includes(each.on) && !each.definition.startsWith('CREATE RULE ')) {
    return ['its definition cannot be read back', 'drop it for the run', 'stays'];
  }
  if (!each.owned) {
    return [
      `it belongs to ${each.owner}, whose rights the connected role lacks`,
      `GRANT ${each.owner} to the role that runs this`,
      'stays',
    ];
  }
  if ((each.kind === 'view' || each.kind === 'function') && !each.mayCreate) {
    return [
      'the connected role may not create in its schema',
      'GRANT CREATE on that schema to the role that runs this',
      'stays',
    ];
  }
  return undefined;
}
