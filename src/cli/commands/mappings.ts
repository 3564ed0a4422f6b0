import { Argument, type Command } from 'commander';
import { EXIT } from '../../core/errors/sluice-error.js';
import type { MappingsDefinition } from '../../core/mapping.js';
import { command } from '../../core/next.js';
import type { Pipeline } from '../../core/pipeline.js';
import { noun } from '../../core/plural.js';
import type { Session } from '../../program/database.js';
import { type DatabaseFlags, withDatabase } from '../given/flags.js';

interface MappingsFlags extends DatabaseFlags {
  readonly recordType?: string;
  readonly pipeline?: string;
}

const EXPLAINED = `
The file is CSV: source_system,record_type,source_field,target_field,transform,
is_required,default_value.
An import takes the place of all mappings that the ledger holds of the system
(of one record type with --record-type), all or nothing; importing what was
exported before undoes it. A record type of which the ledger holds none takes
the pipeline's own mappings, so a file with a header and no rows goes back to
those.`;

/** `sluice mappings SYSTEM [export|import] [FILE]` */
export function declareMappings(root: Command): void {
  withDatabase(
    root
      .command('mappings')
      .argument('<system>', 'the source system: okvet, say')
      .addArgument(new Argument('[action]', 'left out: list them').choices(['export', 'import']))
      .argument('[file]', "a CSV file; '-' (default) is stdout or stdin"),
  )
    .description('which field of a source system becomes which of ours: list, export, import')
    .option('--record-type <type>', 'only of these records')
    .option('--pipeline <pipeline>', 'the pipeline that uses them, where it does not come with Sluice')
    .addHelpText('after', EXPLAINED)
    .action(
      async (system: string, action: string | undefined, file: string | undefined, flags: MappingsFlags) => {
        const { withSession } = await import('../given/session.js');
        const user = await userOf(system, flags.pipeline);
        await assertType(user, flags.recordType);
        process.exitCode = await withSession(flags.databaseUrl, (session) =>
          action === undefined
            ? list(session, user, system, flags)
            : action === 'export'
              ? exportTo(session, user, system, flags, file)
              : importFrom(session, user, system, flags, file),
        );
      },
    );
}

/** A pipeline that uses mappings. */
type User = Pipeline & { readonly mappings: MappingsDefinition };

/** The pipeline that uses the mappings of a system: its own, or one that can be told to take others. */
async function userOf(system: string, named: string | undefined): Promise<User> {
  const { builtInNames, findPipeline } = await import('../given/pipelines.js');
  const found = await Promise.all((named === undefined ? builtInNames() : [named]).map(findPipeline));
  const users = found.flatMap(({ pipeline }) => (pipeline.mappings === undefined ? [] : [pipeline as User]));
  const user =
    users.find(({ mappings }) => mappings.system === system) ??
    users.find(({ mappings }) => mappings.setting !== undefined);
  if (user !== undefined) return user;
  const { inputErrors } = await import('../../core/errors/catalogue/inputs.js');
  const systems = users.map(({ mappings }) => mappings.system);
  throw named === undefined
    ? inputErrors.no_such_system.ofAny({ system, systems })
    : inputErrors.no_such_system.ofPipeline({ pipeline: named, system, systems });
}

async function assertType({ mappings }: User, type: string | undefined): Promise<void> {
  if (type === undefined || Object.hasOwn(mappings.targets, type)) return;
  const { inputErrors } = await import('../../core/errors/catalogue/inputs.js');
  throw inputErrors.no_such_type({ type, types: Object.keys(mappings.targets) });
}

async function inForce({ database }: Session, user: User, system: string, flags: MappingsFlags) {
  const { mappingsInForce } = await import('../../db/ledger/mappings.js');
  const { mappings, fromLedger } = await mappingsInForce(database, user.mappings, system);
  const wanted = mappings.filter(
    ({ recordType }) => flags.recordType === undefined || recordType === flags.recordType,
  );
  return { mappings: wanted, fromLedger };
}

async function list(session: Session, user: User, system: string, flags: MappingsFlags): Promise<number> {
  const { sayNext } = await import('../show/next.js');
  const { table } = await import('../show/table.js');
  const { print, say } = await import('../show/terminal.js');
  const { mappings, fromLedger } = await inForce(session, user, system, flags);
  const origin = (type: string) => (fromLedger.has(type) ? 'ledger' : user.name);
  if (flags.json === true) {
    print(JSON.stringify(mappings.map((each) => ({ ...each, from: origin(each.recordType) }))));
    return EXIT.done;
  }
  if (mappings.length === 0) {
    sayNext(
      `there are no field mappings of "${system}"`,
      command(
        'mappings',
        [user.mappings.system, 'export', 'mappings.csv'],
        {},
        { note: 'an example to change' },
      ),
    );
    return EXIT.done;
  }
  print(
    ...table(
      ['record type', 'source field', 'target field', 'transform', 'required', 'default', 'from'],
      mappings.map((each) => [
        each.recordType,
        each.sourceField,
        each.targetField,
        each.transform,
        each.isRequired ? 'yes' : '',
        each.defaultValue,
        origin(each.recordType),
      ]),
    ),
  );
  if (mappings.some(({ recordType }) => !fromLedger.has(recordType)))
    say(`from ${user.name}: the pipeline's own, in force while the ledger has none of that record type`);
  return EXIT.done;
}

async function exportTo(
  session: Session,
  user: User,
  system: string,
  flags: MappingsFlags,
  file = '-',
): Promise<number> {
  const { mappingsCsv } = await import('../given/mappings-file.js');
  const { counted, handed, say } = await import('../show/terminal.js');
  const { mappings } = await inForce(session, user, system, flags);
  const text = mappingsCsv(mappings);
  if (file === '-') await handed(text);
  else {
    const { writeFileSync } = await import('node:fs');
    writeFileSync(file, `${text}\n`);
    say(`${counted(mappings.length, 'mapping')} of ${system} in ${file}`);
  }
  return EXIT.done;
}

async function importFrom(
  session: Session,
  user: User,
  system: string,
  flags: MappingsFlags,
  file = '-',
): Promise<number> {
  const { readMappingsCsv } = await import('../given/mappings-file.js');
  const { replaceMappings } = await import('../../db/ledger/mappings.js');
  const { openLedger } = await import('../../db/ledger/open.js');
  const { count, counted, print, say } = await import('../show/terminal.js');
  const named = file === '-' ? 'stdin' : file;
  const { mappingFields } = await import('../../run/given/mapping-fields.js');
  const { mappings, faults } = readMappingsCsv(
    await textOf(file),
    { system, recordType: flags.recordType },
    { ...user.mappings, targets: await mappingFields(session.database, user, user.mappings) },
  );
  const { inputErrors } = await import('../../core/errors/catalogue/inputs.js');
  if (faults.length > 0)
    throw faults.length === 1
      ? inputErrors.bad_mappings.one({ input: named, fault: faults[0] as string })
      : inputErrors.bad_mappings.several({ input: named, faults });
  const before = await inForce(session, user, system, flags);
  await openLedger(session.database);
  const { removed, added } = await replaceMappings(session.database, system, flags.recordType, mappings);
  if (flags.json === true) print(JSON.stringify({ system, removed, added }));
  say(
    `${counted(added, 'mapping')} of ${system} imported in the place of ${removed === 0 ? `the ${count(before.mappings.length)} that ${noun(before.mappings.length, 'was', 'were')} in force` : count(removed)}`,
  );
  if (added === 0) say(`the ledger holds none now: those of ${user.name} are in force, where it has some`);
  return EXIT.done;
}

async function textOf(file: string): Promise<string> {
  if (file === '-') {
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString('utf8');
  }
  const { readFileSync } = await import('node:fs');
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { inputErrors } = await import('../../core/errors/catalogue/inputs.js');
    throw inputErrors.no_such_file.mappings({ file, why: (error as Error).message });
  }
}
