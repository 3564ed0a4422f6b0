import { again } from '../../next.js';
import { misuse, topic } from './entry.js';
import { NOTHING_DONE } from './state.js';

/** Errors of `sluice new`. */
export const newErrors = topic({
  bad_project_name: misuse(({ name }: { name: string }) => ({
    says: `"${name}" cannot be the name of a project: a-z, 0-9 and - are, and a letter comes first`,
    state: NOTHING_DONE,
    next: again({ args: ['my-pipeline'] }),
  })),
  folder_has_files: misuse(({ folder, files }: { folder: string; files: readonly string[] }) => ({
    says: `${folder} is there already and has files: ${files.join(', ')}`,
    state: NOTHING_DONE,
    next: 'name another project, or remove the folder',
  })),
  which_template: misuse(({ templates }: { templates: readonly string[] }) => ({
    says: 'off a terminal nobody can be asked which template is meant',
    state: NOTHING_DONE,
    next: templates.map((template) => again({ flags: { template } })),
  })),
  no_such_template: misuse(({ template, templates }: { template: string; templates: readonly string[] }) => ({
    says: `there is no template "${template}"`,
    state: NOTHING_DONE,
    next: templates.map((each) => again({ flags: { template: each } })),
  })),
  sample_not_used: misuse(({ template }: { template: string }) => ({
    says: `--sample is a file of rows, and the template ${template} reads none`,
    state: NOTHING_DONE,
    next: [again({ flags: { template: 'csv' } }), again({ drop: ['sample'] })],
  })),
  sample_has_no_rows: misuse(({ path }: { path: string }) => ({
    says: `${path} has no rows, so nothing can be said of its columns`,
    state: NOTHING_DONE,
    next: 'give a file with a header and some rows',
  })),
});
