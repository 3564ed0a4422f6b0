/** Settings of a session, by name. */
export type Settings = Readonly<Record<string, string>>;

/**
 * What every session of ours has from its first moment on, whatever the server, the database, the role or the URL
 * say: the one place for settings that what we read and write depends on.
 */
export const PINNED: Settings = {
  // A policy would take rows out of what is read, and nobody would know: the server refuses such statements.
  row_security: 'off',
};

/**
 * What sessions have that run the application's own code (triggers, defaults, materialized views): it was written for
 * the settings that the role has. They read nothing else of the application's than what publishing needs, which is
 * refused beforehand for tables of which a policy hides rows.
 */
export const PINNED_BESIDE_CODE: Settings = without(PINNED, 'row_security');

function without(settings: Settings, name: string): Settings {
  return Object.fromEntries(Object.entries(settings).filter(([each]) => each !== name));
}

/**
 * The options of a session's start-up packet, for which `given` stood in the URL or PGOPTIONS. Of one setting that is
 * given twice the server takes the later.
 */
export function startupOptions(given: string | undefined, settings: Settings): string {
  const ours = Object.entries(settings).map(
    ([name, value]) => `-c ${name}=${value.replace(/[\\\s]/g, '\\$&')}`,
  );
  return [...(given === undefined || given.trim() === '' ? [] : [given]), ...ours].join(' ');
}
