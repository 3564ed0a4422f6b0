import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { newErrors } from '../../core/errors/catalogue/new.js';
import { EXIT } from '../../core/errors/sluice-error.js';
import type { Template } from '../../new/templates.js';

interface NewFlags {
  readonly template?: string;
  readonly sample?: string;
  readonly sluice?: string;
  readonly json?: boolean;
}

/** `sluice new NAME` */
export function declareNew(root: Command): void {
  root
    .command('new')
    .argument('<name>', 'of the project, and of its folder')
    .description('make a project: a pipeline, a sample, a test, all that runs them')
    .option('--template <which>', 'csv, query, sqlite or copy (default: asked on a terminal)')
    .option('--sample <file>', 'a CSV file: its columns, types and a JSON Schema are proposed from it')
    .option('--sluice <what>', 'what package.json names as sluice: a version, file:… (default: this version)')
    .option('--json', 'one JSON object on stdout')
    .action(async (name: string, flags: NewFlags) => {
      const { offline } = await import('../given/offline.js');
      process.exitCode = await offline(async (run) => {
        const { filesOf, OF_ROWS, TEMPLATES } = await import('../../new/templates.js');
        const { assertEmpty, writeProject } = await import('../../new/write.js');
        const { ORDERS } = await import('../../new/project.js');
        const { lookAt } = await import('../../new/sample.js');
        const { plainName } = await import('../../new/names.js');
        const { print, say } = await import('../show/terminal.js');
        if (!/^[a-z][a-z0-9-]*$/.test(name)) throw newErrors.bad_project_name({ name });
        assertEmpty(name);
        const template = await templateOf(flags, TEMPLATES);
        const path = flags.sample ?? (await sampleOf(flags, OF_ROWS.has(template)));
        if (path !== undefined && !OF_ROWS.has(template)) throw newErrors.sample_not_used({ template });
        const { withFile } = await import('../../new/own-sample.js');
        const made = await withFile(path, ORDERS, async (file) => {
          const sample = await lookAt(file, run);
          const named = path === undefined ? 'orders.csv' : basename(path);
          return filesOf(template, {
            name,
            sluice: flags.sluice,
            sample,
            file: { name: named, content: readFileSync(file) },
            table: plainName(named.split('.')[0] ?? '', 'rows'),
          });
        });
        writeProject(name, made);
        const files = Object.keys(made).sort();
        if (flags.json === true) print(JSON.stringify({ project: name, template, files }));
        else {
          say(`${name}: ${TEMPLATES[template]}`);
          for (const file of files) say(`  ${file}`);
          say(`  next: cd ${name} && npm install && npm test`);
          say('        then, to run it: npm start');
        }
        return EXIT.done;
      });
    });
}

async function templateOf(
  { template, sample }: NewFlags,
  templates: Readonly<Record<Template, string>>,
): Promise<Template> {
  const names = Object.keys(templates);
  const isOne = (text: string): text is Template => Object.hasOwn(templates, text);
  const { askText, canAsk } = await import('../given/ask.js');
  if (template === undefined && sample !== undefined) return 'csv';
  if (template === undefined && !canAsk()) throw newErrors.which_template({ templates: names });
  const { say } = await import('../show/terminal.js');
  if (template === undefined) for (const [name, what] of Object.entries(templates)) say(`  ${name}: ${what}`);
  const wanted = template ?? (await askText('what does it read?', 'csv'));
  if (!isOne(wanted)) throw newErrors.no_such_template({ template: wanted, templates: names });
  return wanted;
}

/** A file that the user has, where one is of use and there is somebody to ask. */
async function sampleOf({ template }: NewFlags, ofRows: boolean): Promise<string | undefined> {
  const { askText, canAsk } = await import('../given/ask.js');
  // Whoever has named the template has said all.
  if (template !== undefined || !ofRows || !canAsk()) return undefined;
  const path = await askText('a CSV file of yours, to propose columns from (none: a sample of orders)?', '');
  return path === '' ? undefined : path;
}
