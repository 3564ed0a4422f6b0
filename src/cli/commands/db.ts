import type { Command } from 'commander';
import { command } from '../../core/next.js';
import { EMBEDDED_URL } from '../../db/embedded/names.js';
import { exitCode, tell } from '../show/failure.js';
import { sayNext } from '../show/next.js';
import { print, say } from '../show/terminal.js';

/** `sluice db start|stop|status|url` */
export function declareDb(root: Command): void {
  const db = root.command('db').description('the embedded PostgreSQL: keep it running, stop it, look inside');
  const guarded =
    <A extends readonly unknown[]>(work: (...given: A) => Promise<void>) =>
    async (...given: A) => {
      try {
        await work(...given);
      } catch (error) {
        tell(error);
        process.exitCode = exitCode(error);
      }
    };
  db.command('start')
    .description('start it and keep it until `sluice db stop`')
    .option('--trust', 'also where .sluice was not made here by this user: it may hold anybody’s programs')
    .action(
      guarded(async (flags: Flags) => {
        const { keepEmbedded } = await import('../../db/embedded/index.js');
        const server = await keepEmbedded({ trust: flags.trust === true });
        sayNext(`the embedded PostgreSQL listens on port ${server.port}, data in ${server.dataDirectory}`, [
          `psql "$(${EMBEDDED_URL})"`,
          command('db stop'),
        ]);
      }),
    );
  db.command('stop')
    .description('stop it; refuses while other commands use it')
    .option('--force', 'stop it all the same')
    .action(
      guarded(async (flags: Flags) => {
        const { stopEmbedded } = await import('../../db/embedded/index.js');
        const stopped = await stopEmbedded({ force: flags.force === true });
        say(stopped ? 'stopped; the data stays' : 'it was not running');
      }),
    );
  db.command('status')
    .description('whether it runs, where, and who uses it')
    .option('--json', 'as JSON on stdout')
    .action(
      guarded(async (flags: Flags) => {
        const { embeddedStatus } = await import('../../db/embedded/index.js');
        const { url, ...status } = await embeddedStatus();
        if (flags.json === true) return print(JSON.stringify(status));
        const { table } = await import('../show/table.js');
        print(
          ...table(
            ['', ''],
            [
              ['running', status.running ? `yes, process ${status.pid}, port ${status.port}` : 'no'],
              [
                'kept',
                status.kept
                  ? 'yes, until `sluice db stop`'
                  : 'no: it stops with the last command that uses it',
              ],
              ['used by', status.leases.length === 0 ? 'nobody' : `processes ${status.leases.join(', ')}`],
              ['version', status.version ?? ''],
              ['data', status.dataDirectory],
              ['log', status.log ?? ''],
            ],
          ),
        );
      }),
    );
  db.command('url')
    .argument('[database]', 'a database of it; without, the one that commands use')
    .description('its URL, with the password, for psql and other programs')
    .action(
      guarded(async (name: string | undefined) => {
        const { embeddedStatus } = await import('../../db/embedded/index.js');
        const status = await embeddedStatus();
        if (status.url === undefined || !status.running) {
          const { embeddedErrors } = await import('../../core/errors/catalogue/embedded.js');
          throw embeddedErrors.not_running();
        }
        const { urlOfDatabase } = await import('../../db/address.js');
        print(name === undefined ? status.url : urlOfDatabase(status.url, name));
      }),
    );
}

interface Flags {
  readonly json?: boolean;
  readonly force?: boolean;
  readonly trust?: boolean;
}
