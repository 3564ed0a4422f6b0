import {
  again,
  type Check,
  check,
  command,
  type Finding,
  literal,
  nearest,
  noun,
  offenders,
  plural,
  type Validation,
  validation,
} from 'sluice';
import { compileMapping } from 'sluice/transforms';
import { IMPORT_TRANSFORMS } from './mappings.js';
import { INPUTS, RECORD_TYPES } from './record-types.js';

/** Every field that a mapping looks at must be in the file: a misspelt header would lose a column without a word. */
export const filesHaveTheFields: Check = check(
  'files-have-the-fields',
  'every mapped field is in its file',
  async ({ mappings, columnsOf, settings }) => {
    const findings: Finding[] = [];
    for (const input of INPUTS) {
      const columns = await columnsOf(input);
      if (columns === undefined) continue;
      const { type } = RECORD_TYPES[input];
      const own = mappings.filter(({ recordType }) => recordType === type);
      const { fields } = compileMapping(own, { transforms: IMPORT_TRANSFORMS });
      const lacking = fields.filter((field) => !columns.includes(field));
      const unused = columns.filter((column) => !fields.includes(column));
      if (lacking.length > 0)
        findings.push({
          severity: 'error',
          message: `the file of ${input} lacks ${lacking.length === 1 ? 'a field' : `${lacking.length} fields`} that the mappings of ${settings.system} name`,
          details: [
            ...lacking.map((field) => {
              const meant = nearest(field, unused);
              return meant === undefined ? field : `${field} (it has ${meant})`;
            }),
            `its fields: ${columns.join(', ')}`,
          ],
          next: [
            'if the file was exported wrongly, export it again',
            command(
              'mappings',
              [settings.system as string, 'export', 'mappings.csv'],
              {},
              {
                lead: 'if its fields have other names',
                note: 'to be corrected',
              },
            ),
            command(
              'mappings',
              [settings.system as string, 'import', 'mappings.csv'],
              {},
              { lead: 'and then' },
            ),
          ],
        });
      else if (unused.length > 0)
        findings.push({
          severity: 'warning',
          message: `fields of ${input} that no mapping names are not imported: ${unused.join(', ')}`,
        });
    }
    return findings;
  },
);

/** Ids are compared without the spaces around them, so a live one that has some would be imported a second time. */
export const liveIdsAreTrimmed: Check = check(
  'live-ids-are-trimmed',
  'no live source id has spaces around it',
  async ({ database, live, settings }) => {
    const findings: Finding[] = [];
    for (const input of INPUTS) {
      const rows = await database.query(
        `SELECT id, source_id FROM ${live(input)}
         WHERE source_system = $1 AND source_id ~ '^[[:space:]]|[[:space:]]$' ORDER BY source_id LIMIT 1000`,
        [settings.system],
      );
      findings.push(
        ...offenders(
          rows,
          (n) => `${plural(n, 'row')} of ${input} ${noun(n, 'has', 'have')} spaces around the source id`,
          (row) => `${JSON.stringify(row.source_id)} (id ${row.id})`,
          {
            next: `UPDATE ${live(input)} SET source_id = regexp_replace(source_id, '^[[:space:]]+|[[:space:]]+$', '', 'g') WHERE source_system = ${literal(settings.system as string)};`,
          },
        ),
      );
    }
    return findings;
  },
);

/** Asked though every reference was looked up: a row that the server refused after all would leave its children alone. */
export const parentsAreThere: readonly Validation[] = INPUTS.flatMap((input) =>
  RECORD_TYPES[input].references.map(({ column, to }) =>
    validation(
      `${column.replaceAll('_', '-')}-of-${input.replaceAll('_', '-')}`,
      `every ${column} of ${input} is there`,
      async ({ database, staged, live }) =>
        offenders(
          await database.query(
            `SELECT s.source_id FROM ${staged(input)} s
             WHERE s.${column} IS NOT NULL
               AND NOT EXISTS (SELECT FROM ${staged(to)} p WHERE p.id = s.${column})
               AND NOT EXISTS (SELECT FROM ${live(to)} p WHERE p.id = s.${column})
             ORDER BY 1 LIMIT 1000`,
          ),
          (n) => `${plural(n, 'row')} of ${input} would refer to rows of ${to} that are not there`,
          (row) => `${RECORD_TYPES[input].type} ${row.source_id}`,
          { next: again({}, { lead: `look at the rejects of ${to} and correct them, then` }) },
        ),
    ),
  ),
);
