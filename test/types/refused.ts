/** Lines that the compiler must refuse, and what it has to say of each, so that the author sees what is wrong. */
export const REFUSED: readonly (readonly [line: string, says: RegExp])[] = [
  // What is no row.
  [`use(map(async (row: Part) => row));`, /no promise \(see mapAsync\)/],
  [`use(map((row: Part) => [row]));`, /a row is a plain object of columns: no array/],
  [`use(map((row: Part) => row.sku));`, /'string' is not assignable to type 'AnyRow'/],
  [
    `use(map((row: Part) => new Map([[row.sku, 1]])));`,
    /a row is a plain object of columns: no array, Map or Set/,
  ],
  [`use(map((row: Part) => () => row));`, /a row is a plain object of columns: no function/],
  [`use(map((_: Part) => new Date()));`, /a row is a plain object of columns: no Date/],
  [`use(map((_: Part) => undefined));`, /'undefined' is not assignable to type 'AnyRow'/],
  [`use(memory('m', ['a', 'b']));`, /'string' is not assignable to type 'AnyRow'/],
  // Columns that the rows lack, where a table is filled.
  [
    `use(flow(parts).into(replace('p', { columns: ['sku', 'weight'] })));`,
    /the rows lack these columns.*"weight"/s,
  ],
  [`use(flow(declared).into(replace('p', { columns: ['skus'] })));`, /the rows lack these columns.*"skus"/s],
  [
    `use(flow(declared).into(append('p', { columns: ['weight', 'height'] })));`,
    /the rows lack these columns.*"height" \| "weight"/s,
  ],
  [
    `use(flow(declared).into(merge('p', { columns: ['id'], key: ['id'] })));`,
    /the rows lack these columns.*"id"/s,
  ],
  [
    `use(flow(parts).through(map((row) => ({ total: row.sku }))).into(replace('p', { columns: ['sku'] })));`,
    /the rows lack these columns.*"sku"/s,
  ],
  [
    `use(flow(parts).through(sort({ name: 'x', by: 'sku' })).into(replace('p', { columns: ['weight'] })));`,
    /the rows lack these columns.*"weight"/s,
  ],
  [
    `use(flow(parts).through(renumber({ within: 'sku', as: 'no' })).into(replace('p', { columns: ['number'] })));`,
    /the rows lack these columns.*"number"/s,
  ],
  [
    `use(flow(parts).through(distinct({ by: 'sku' })).into(replace('p', { columns: ['id'] })));`,
    /the rows lack these columns.*"id"/s,
  ],
  [
    `use(flow(orders).through(lookup({ from: names, key: 'id', on: 'customer', take: { called: 'name' } })).into(replace('o', { columns: ['name'] })));`,
    /the rows lack these columns.*"name"/s,
  ],
  [
    `use(flow(jsonl('x.jsonl', { columns: ['a'] })).into(replace('t', { columns: ['b'] })));`,
    /the rows lack these columns.*"b"/s,
  ],
  [
    `use(flow(json('x.json', { columns: ['a'] })).into(replace('t', { columns: ['b'] })));`,
    /the rows lack these columns.*"b"/s,
  ],
  [
    `use(flow(query('SELECT 1 AS a', { columns: ['a'] })).into(replace('t', { columns: ['b'] })));`,
    /the rows lack these columns.*"b"/s,
  ],
  [
    `use(flow(sqlite('x.db', { table: 't', columns: ['a'] })).into(replace('t', { columns: ['b'] })));`,
    /the rows lack these columns.*"b"/s,
  ],
  [
    `use(flow(csv('x.csv', { columns: ['a'] })).into(replace('t', { columns: ['A'] })));`,
    /the rows lack these columns.*"A"/s,
  ],
  [
    `use(flow(parts).fork((rows) => rows.into(replace('p', { columns: ['weight'] }))));`,
    /the rows lack these columns.*"weight"/s,
  ],
  [
    `use(flow(passing(declared, map((row) => ({ key: row.sku })))).into(replace('k', { columns: ['sku'] })));`,
    /the rows lack these columns.*"sku"/s,
  ],
  [
    `use(flow(declared).through(filter((row) => row.sku !== '', 'x'), map((row) => ({ key: row.sku })), filter((row) => row.key !== '', 'y')).into(replace('k', { columns: ['price'] })));`,
    /the rows lack these columns.*"price"/s,
  ],
  [
    `use(pipeline({ name: 'p', summary: 's', inputs: { declared }, tables: { p: replace('p', { columns: ['weight'] }) }, flows: ({ inputs, tables }) => [flow(inputs.declared).into(tables.p)] }));`,
    /the rows lack these columns.*"weight"/s,
  ],
  // Columns that the rows lack, where a stage reads them.
  [
    `use(flow(parts).through(filter((row) => row.weight !== null, 'x')));`,
    /Property 'weight' does not exist/,
  ],
  [
    `use(flow(parts).through(map((row) => ({ n: row.skus }))));`,
    /Property 'skus' does not exist.*Did you mean 'sku'/s,
  ],
  [`use(flow(orders).through(priced));`, /"price" \| "sku"|missing the following properties.*(sku|price)/s],
  [
    `use(flow(parts).through(map((row) => ({ total: row.sku })), map((row) => row.price)));`,
    /Property 'price' does not exist/,
  ],
  [`use(flow(parts).through(distinct({ by: 'skus' })));`, /"skus".*Did you mean '"sku"'/s],
  [`use(flow(parts).through(distinct({ by: ['sku', 'weight'] })));`, /"weight".*"price" \| "sku"/s],
  [
    `use(flow(declared).through(distinct({ by: (row) => row.weight })));`,
    /Property 'weight' does not exist on type 'Part'/,
  ],
  [`use(flow(parts).through(sort({ name: 'x', by: 'skus' })));`, /"skus".*Did you mean '"sku"'/s],
  [`use(flow(parts).through(sort({ name: 'x', by: ['sku', 'weight'] })));`, /"weight"/],
  [`use(flow(parts).through(sort({ name: 'x', by: [{ column: 'weight' }] })));`, /"weight"/],
  [
    `use(flow(parts).through(sort({ name: 'x', by: [{ column: 'sku', as: 'date' }] })));`,
    /"date".*"number"/s,
  ],
  [`use(flow(parts).through(renumber({ within: 'skus', as: 'no' })));`, /"skus".*Did you mean '"sku"'/s],
  [
    `use(flow(declared).through(renumber({ within: 'sku', as: 'no', first: (row) => row.no })));`,
    /Property 'no' does not exist on type 'Part'/,
  ],
  [
    `use(flow(orders).through(lookup({ from: names, key: 'id', on: 'customers', take: { called: 'name' } })));`,
    /"customers".*Did you mean '"customer"'/s,
  ],
  [
    `use(flow(orders).through(lookup({ from: names, key: 'no', on: 'customer', take: { called: 'name' } })));`,
    /"no".*id: string; name: string/s,
  ],
  [
    `use(flow(orders).through(lookup({ from: names, key: 'id', on: 'customer', take: { called: 'names' } })));`,
    /"names".*Did you mean '"name"'/s,
  ],
  [
    `use(flow(orders).through(lookup({ from: names, key: 'id', on: 'customer', take: { called: 'name' }, missing: 'null' }), map((row) => ({ n: row.called.length }))));`,
    /'row\.called' is possibly 'null'/,
  ],
  [
    `use(flow(orders).through(group({ by: 'customers', start: () => ({}), add: () => {}, finish: () => ({ n: 1 }) })));`,
    /"customers".*Did you mean '"customer"'/s,
  ],
  [
    `use(flow(declared).through(validate({}, { rules: [{ name: 'x', column: 'skus', test: () => true }] })));`,
    /"skus".*Did you mean '"sku"'/s,
  ],
  [`use(query<Part>('SELECT', { columns: ['sku', 'weight'] }));`, /"weight".*"price" \| "sku"/s],
  [`use(jsonl<Part>('x.jsonl', { columns: ['weight'] }));`, /"weight".*"price" \| "sku"/s],
  [
    `use(flow(declared).into(report('p', () => ({ columns: ['weight'] }))));`,
    /"weight".*keyof Part|"weight".*"price" \| "sku"/s,
  ],
  [
    `use(flow(declared).into(csvFile('p.csv', { columns: ['sku', 'weight'] })));`,
    /"weight".*keyof Part|"weight".*"price" \| "sku"/s,
  ],
  [
    `use(flow(declared).into(stdout({ columns: ['weight'] })));`,
    /"weight".*keyof Part|"weight".*"price" \| "sku"/s,
  ],
  // Values of another type than is believed.
  [`use(flow(parts).through(map((row) => ({ n: row.sku.length }))));`, /'row\.sku' is possibly 'null'/],
  [
    `use(flow(jsonl('x.jsonl', { columns: ['a'] })).through(map((row) => ({ n: row.a.length }))));`,
    /'row\.a' is of type 'unknown'/,
  ],
  [`use((row: Row): string => row.sku);`, /'unknown' is not assignable to type 'string'/],
  [
    `const wrong: Source<Part> = orders; use(wrong);`,
    /missing the following properties from type 'Part': sku, price/,
  ],
  [`use(flow(parts).into(cents));`, /cents/],
  [
    `use(flow(declared).through(filter((row) => row.sku, 'x')));`,
    /'string' is not assignable to type 'boolean'/,
  ],
  // What is left out, or is not there.
  [`use(merge('p', { columns: ['sku'] }));`, /Property 'key' is missing/],
  [`use(append('p', {}));`, /Property 'columns' is missing/],
  [
    `use(patch('p', { columns: ['sku'], key: ['sku'], missing: 'ignore' }));`,
    /"ignore".*"refuse" \| "skip"/s,
  ],
  [`use(filter((row: Part) => row.sku !== ''));`, /Expected 2 arguments, but got 1/],
  [`use(sort<Part>({ by: 'sku' }));`, /Property 'name' is missing/],
  [
    `use(flow(declared).fork((rows) => rows.through(filter((row) => row.sku !== '', 'x'))));`,
    /FlowBuilder<Part, Branch>.*Branch/s,
  ],
  [
    `use(pipeline({ name: 'p', summary: 's', inputs: { declared }, tables: {}, flows: ({ inputs }) => [flow(inputs.declare).into(cents)] }));`,
    /Property 'declare' does not exist.*Did you mean 'declared'/s,
  ],
  [
    `use(pipeline({ name: 'p', summary: 's', inputs: { declared }, tables: { p: replace('p') }, flows: ({ inputs, tables }) => [flow(inputs.declared).into(tables.q)] }));`,
    /Property 'q' does not exist/,
  ],
  [
    `use(pipeline({ name: 'p', summary: 's', inputs: { declared }, tables: { p: replace('p') }, flows: ({ inputs }) => [flow(inputs.declared)] }));`,
    /FlowBuilder.*FlowPlan/s,
  ],
  [`use((run: Run) => run.reject(undefined, { message: 'no reason' }));`, /Property 'reason' is missing/],
  [
    `use(async (run: Run) => (await run.database.query<Part>('SELECT'))[0]?.weight);`,
    /Property 'weight' does not exist on type 'Part'/,
  ],
  [
    `use(check('c', 's', async ({ database }) => offenders(await database.query<Order>('SELECT'), String, (row) => row.ids)));`,
    /Property 'ids' does not exist on type 'Order'/,
  ],
  // Stages for what was written by hand before.
  [
    `use(flow(declared).through(rejectWhere((row) => row.price === null, { reason: 'x', column: 'prices' })));`,
    /"prices".*Did you mean '"price"'/s,
  ],
  [
    `use(flow(declared).through(wholeGroups(rejectWhere((row: Part) => row.price === null, 'x'), { by: 'order' })));`,
    /"order"/,
  ],
  [
    `use(flow(parts).through(unpivot({ columns: ['jan'], name: 'month', value: 'amount' })));`,
    /"jan".*"price" \| "sku"/s,
  ],
  [`use(flow(declared).through(flatten({ column: 'items', row: (parent) => parent })));`, /"items"/],
  [
    `use(flow(orders).through(aggregate({ by: ['customers'], columns: { n: count() } })));`,
    /"customers".*Did you mean '"customer"'/s,
  ],
  [
    `use(flow(orders).through(aggregate({ by: ['customer'], columns: { total: sum('amount') } })));`,
    /"amount"/,
  ],
  [
    `use(flow(orders).through(aggregate({ by: ['customer'], columns: { n: count() } })).into(replace('s', { columns: ['id'] })));`,
    /the rows lack these columns.*"id"/s,
  ],
  [
    `use(flow(orders).through(hash({ columns: ['email'], key: { env: 'KEY' } })));`,
    /"email".*Column<Order>/s,
  ],
  [`use(flow(orders, { after: orders }));`, /Source<Order>/],
];
