import { createInterface } from 'node:readline/promises';
import { commandErrors } from '../../core/errors/catalogue/command-line.js';
import { shown } from '../show/terminal.js';

/** Whether there is a terminal with somebody to answer. */
export const canAsk = () => process.stdin.isTTY === true;

/** Asks for a line of text on the terminal; `otherwise` where nothing is typed. Throws `interrupted` where the question is left. */
export async function askText(question: string, otherwise: string): Promise<string> {
  const shownDefault = otherwise === '' ? '' : ` [${otherwise}]`;
  const answer = (await answerTo(`${question}${shownDefault} `)).trim();
  return answer === '' ? otherwise : answer;
}

/**
 * Asks a yes-or-no question on the terminal; no is the default. Throws a usage error off a terminal, where
 * nobody can answer, or where stdin is the data.
 */
export async function ask(question: string, readsStdin = false): Promise<boolean> {
  if (readsStdin || process.stdin.isTTY !== true) throw commandErrors.needs_yes();
  return /^y(es)?$/i.test((await answerTo(`${question} [y/N] `)).trim());
}

async function answerTo(question: string): Promise<string> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const gone = new AbortController();
  prompt.on('SIGINT', () => gone.abort());
  prompt.on('close', () => gone.abort());
  try {
    return await prompt.question(shown(question), { signal: gone.signal });
  } catch {
    throw commandErrors.interrupted.atQuestion();
  } finally {
    prompt.close();
  }
}
