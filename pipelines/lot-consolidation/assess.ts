import { type AssessmentDeclaration, again, figures, inOrder, orphans, required, rule } from 'sluice';
import { joinsGroup, MAKES_NUMBER, NEW_LOT_PATTERN, OLD_LOT_PATTERN } from './numbers.js';

const LEFT = again(
  { name: 'run', flags: { dryRun: true } },
  { lead: 'a run leaves such LOTs and their serials as they are, a dry run lists them' },
);

/**
 * What is looked at before the consolidation. Warnings only: what cannot be consolidated stays as it is, and is listed
 * with its reason. What constraints of the tables forbid is not asked.
 */
export const assessment: AssessmentDeclaration = {
  tables: ['lots', 'serials', 'production_lines', 'product_models'],
  questions: [
    ...required({
      table: 'lots',
      columns: ['production_line_id', 'product_model_id'],
      severity: 'warning',
      next: LEFT,
    }),
    orphans({
      table: 'lots',
      column: 'production_line_id',
      references: 'production_lines',
      severity: 'warning',
      next: LEFT,
    }),
    orphans({
      table: 'lots',
      column: 'product_model_id',
      references: 'product_models',
      severity: 'warning',
      next: LEFT,
    }),
    rule('LOT numbers are old or new', 'every LOT number is of the old format or of the new one', {
      from: `lots l LEFT JOIN production_lines p ON p.id = l.production_line_id
             LEFT JOIN product_models m ON m.id = l.product_model_id`,
      where: `l.lot_number !~ '${OLD_LOT_PATTERN}' AND l.lot_number !~ '${NEW_LOT_PATTERN}'
              AND (l.lot_number = p.line_code || m.model_code || l.production_month AND ${MAKES_NUMBER}) IS NOT TRUE`,
      show: ['l.lot_number'],
      severity: 'warning',
      next: LEFT,
    }),
    rule('LOT numbers are of their month', 'an old LOT number is of the month that the LOT says', {
      from: 'lots l',
      where: `l.lot_number ~ '${OLD_LOT_PATTERN}' AND substr(l.lot_number, 7, 4) IS DISTINCT FROM l.production_month`,
      show: ['l.lot_number', 'l.production_month'],
      severity: 'warning',
      next: LEFT,
    }),
    rule('codes make a LOT number', 'line, model and month make a LOT number of the new format', {
      from: `lots l JOIN production_lines p ON p.id = l.production_line_id
             JOIN product_models m ON m.id = l.product_model_id`,
      where: `${joinsGroup('l')} AND NOT ${MAKES_NUMBER}`,
      show: ['l.lot_number', 'p.line_code', 'm.model_code', 'l.production_month'],
      severity: 'warning',
      next: LEFT,
    }),
    inOrder({ table: 'lots', earlier: 'created_at', later: 'closed_at', severity: 'warning' }),
    figures('LOTs by line and model', 'how many LOTs each line has of each model, and their serials', {
      query: `SELECT coalesce(p.line_code, '(none)') || ' ' || coalesce(m.model_code, '(none)') AS line_and_model,
                     count(DISTINCT l.id) AS lots, count(s.id) AS serials
              FROM lots l
              LEFT JOIN production_lines p ON p.id = l.production_line_id
              LEFT JOIN product_models m ON m.id = l.product_model_id
              LEFT JOIN serials s ON s.lot_id = l.id
              GROUP BY 1 ORDER BY 2 DESC, 1`,
      chart: { label: 'line_and_model', value: 'lots' },
    }),
    figures(
      'LOTs by month',
      'LOTs of each production month, and how many of them have the new number already',
      {
        query: `SELECT production_month AS month, count(*) AS lots,
                     count(*) FILTER (WHERE lot_number ~ '${NEW_LOT_PATTERN}') AS new_already
              FROM lots GROUP BY 1 ORDER BY 1`,
        chart: { label: 'month', value: 'lots' },
      },
    ),
    figures('Serials by status', 'how far the products are', {
      query: 'SELECT status, count(*) AS serials FROM serials GROUP BY 1 ORDER BY 2 DESC, 1',
      chart: { label: 'status', value: 'serials' },
    }),
  ],
};
