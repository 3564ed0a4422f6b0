import { packageVersion } from '../core/package.js';
import { lostOutput, put } from './show/output.js';

/** Whether `args` ask for the version and nothing else: a question for which no command has to be loaded. */
export function asksVersion(args: readonly string[]): boolean {
  return args.length === 1 && (args[0] === '--version' || args[0] === '-V');
}

/** Prints the version; the exit code. */
export async function printVersion(): Promise<number> {
  put(process.stdout, `${packageVersion}\n`);
  if (lostOutput() === undefined) return 0;
  const { heard } = await import('./show/heard.js');
  return heard(0);
}
