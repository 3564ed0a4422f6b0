import pg from 'pg';

// node row-by-row.js URL: lot-consolidation as the scripts before Sluice did it, in one transaction that
// updates a row at a time.
const client = new pg.Client({ connectionString: process.argv[2] });
await client.connect();
await client.query('BEGIN');
const { rows: lots } = await client.query(`
  SELECT l.id, l.lot_number, p.line_code || m.model_code || l.production_month AS number
  FROM lots l JOIN production_lines p ON p.id = l.production_line_id JOIN product_models m ON m.id = l.product_model_id
  ORDER BY number, l.lot_number <> p.line_code || m.model_code || l.production_month, l.id`);
const groups = new Map<string, { id: number; lot_number: string }[]>();
for (const lot of lots) groups.set(lot.number, [...(groups.get(lot.number) ?? []), lot]);
for (const [number, members] of groups) {
  let sequence = 0;
  const [first] = members as [{ id: number; lot_number: string }];
  for (const lot of members) {
    const { rows: serials } = await client.query(
      `SELECT id, serial_number FROM serials WHERE lot_id = $1 ORDER BY length(serial_number), serial_number COLLATE "C", id`,
      [lot.id],
    );
    for (const serial of serials) {
      sequence += 1;
      if (lot.lot_number === number) continue;
      await client.query('UPDATE serials SET lot_id = $1, serial_number = $2 WHERE id = $3', [
        first.id,
        `${number}${String(sequence).padStart(3, '0')}`,
        serial.id,
      ]);
    }
    if (lot !== first) await client.query('DELETE FROM lots WHERE id = $1', [lot.id]);
  }
  await client.query('UPDATE lots SET lot_number = $1 WHERE id = $2', [number, first.id]);
}
await client.query('COMMIT');
await client.end();
