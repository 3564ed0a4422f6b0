import {
  again,
  type Check,
  check,
  type Finding,
  ident,
  likelyDelimiter,
  literal,
  nearest,
  noun,
  offenders,
  plural,
  type Validation,
  validation,
} from 'sluice';
import { compileMapping } from 'sluice/transforms';
import type { Layout } from './layout.js';
import { correcting, IMPORT_TRANSFORMS, OKVET } from './mappings.js';
import { INPUTS, type InputName, RECORD_TYPES } from './record-types.js';

/** Every field that a mapping looks at must be in the file: a misspelt header would lose a column without a word. */
export const filesHaveTheFields: Check = check(
  'files-have-the-fields',
  'every mapped field is in its file',
  async ({ mappings, columnsOf, settings, from }) => {
    const findings: Finding[] = [];
    for (const input of INPUTS) {
      const columns = await columnsOf(input);
      if (columns === undefined) continue;
      const { type } = RECORD_TYPES[input];
      const own = mappings.filter(({ recordType }) => recordType === type);
      const { fields } = compileMapping(own, { transforms: IMPORT_TRANSFORMS });
      const lacking = fields.filter((field) => !columns.includes(field));
      const unused = columns.filter((column) => !fields.includes(column));
      const delimiter = likelyDelimiter(columns);
      if (lacking.length > 0 && delimiter !== undefined && delimiter !== ',')
        findings.push(otherDelimiter(input, columns.join(delimiter), delimiter));
      else if (lacking.length > 0)
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
            ...correcting(settings.system ?? OKVET, from, {
              export: { lead: 'if its fields have other names', note: 'to be corrected' },
              lead: 'and then',
            }),
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

/** A header that was read as one field, since commas were looked for: no name is wrong, and none is to be mapped. */
function otherDelimiter(input: InputName, header: string, delimiter: string): Finding {
  const tab = delimiter === '\t';
  const shown = tab ? 'tabs' : `"${delimiter}"`;
  return {
    severity: 'error',
    message: `the fields of the file of ${input} seem to stand between ${shown}, and not between commas: its header is one field`,
    details: [`its header: ${header}`],
    next: tab
      ? `call the file ${input}.tsv: such a file is read with tabs`
      : `put the line sep=${delimiter} before the header, as Excel writes it: (echo 'sep=${delimiter}'; cat export/${input}.csv) > ${input}.csv`,
  };
}

/** Ids are compared without the spaces around them, so a live one that has some would be imported a second time. */
export function liveIdsAreTrimmed(layout: Layout): Check {
  return check(
    'live-ids-are-trimmed',
    'no live source id has spaces around it',
    async ({ database, live, settings }) => {
      const findings: Finding[] = [];
      for (const input of INPUTS) {
        const [id, sourceId, system] = (['id', 'source_id', 'source_system'] as const).map((column) =>
          ident(layout.theirs(input, column)),
        );
        const rows = await database.query(
          `SELECT ${id} AS id, ${sourceId} AS source_id FROM ${live(input)}
           WHERE ${system} = $1 AND ${sourceId} ~ '^[[:space:]]|[[:space:]]$' ORDER BY 2 LIMIT 1000`,
          [settings.system],
        );
        findings.push(
          ...offenders(
            rows,
            (n) => `${plural(n, 'row')} of ${input} ${noun(n, 'has', 'have')} spaces around the source id`,
            (row) => `${JSON.stringify(row.source_id)} (id ${row.id})`,
            {
              next: `UPDATE ${live(input)} SET ${sourceId} = regexp_replace(${sourceId}, '^[[:space:]]+|[[:space:]]+$', '', 'g') WHERE ${system} = ${literal(settings.system ?? OKVET)};`,
            },
          ),
        );
      }
      return findings;
    },
  );
}

/** Asked though every reference was looked up: a row that the server refused after all would leave its children alone. */
export function parentsAreThere(layout: Layout): readonly Validation[] {
  return INPUTS.flatMap((input) =>
    RECORD_TYPES[input].references.map(({ column, to }) => {
      const refers = `s.${ident(layout.theirs(input, column))}`;
      const sourceId = `s.${ident(layout.theirs(input, 'source_id'))}`;
      const id = `p.${ident(layout.theirs(to, 'id'))}`;
      return validation(
        `${column.replaceAll('_', '-')}-of-${input.replaceAll('_', '-')}`,
        `every ${column} of ${input} is there`,
        async ({ database, staged, live, published }) =>
          offenders(
            await database.query(
              `SELECT coalesce(${sourceId}, 'id ' || s.${ident(layout.theirs(input, 'id'))}) AS source_id FROM ${staged(input)} s
               WHERE ${refers} IS NOT NULL
                 AND NOT EXISTS (SELECT FROM ${staged(to)} p WHERE ${id} = ${refers})
                 AND NOT EXISTS (SELECT FROM ${live(to)} p WHERE ${id} = ${refers})
               ORDER BY 1 LIMIT 1000`,
            ),
            (n) =>
              `${plural(n, 'row')} of ${input} ${published ? noun(n, 'refers', 'refer') : 'would refer'} to rows of ${to} that are not there`,
            (row) => `${RECORD_TYPES[input].type} ${row.source_id}`,
            {
              next: published
                ? `put the rows of ${live(to)} back that are missing, or correct ${refers.slice(2)} of these rows of ${live(input)}`
                : again({}, { lead: `look at the rejects of ${to} and correct them, then` }),
            },
          ),
      );
    }),
  );
}
