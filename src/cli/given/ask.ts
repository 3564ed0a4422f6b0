import { createInterface } from 'node:readline/promises';
import { commandErrors } from '../../core/errors/catalogue/command-line.js';
import { shown } from '../show/terminal.js';

/**
 * Asks a yes-or-no question on the terminal; no is the default. Throws a usage error off a terminal, where
 * nobody can answer, or where stdin is the data.
 */
export async function ask(question: string, readsStdin = false): Promise<boolean> {
  if (readsStdin || process.stdin.isTTY !== true) throw commandErrors.needs_yes();
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const gone = new AbortController();
  prompt.on('SIGINT', () => gone.abort());
  prompt.on('close', () => gone.abort());
  try {
    const answer = await prompt.question(`${shown(question)} [y/N] `, { signal: gone.signal });
    return /^y(es)?$/i.test(answer.trim());
  } catch {
    throw commandErrors.interrupted.atQuestion();
  } finally {
    prompt.close();
  }
}
