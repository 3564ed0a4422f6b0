import { setTimeout as sleep } from 'node:timers/promises';

/** Long enough for the most loaded machine: what does not come at all is all that it has to tell. */
const PATIENCE_MS = 120_000;

/** Asks again and again until `ask` gives something but false or undefined, and gives that; throws where it never does. */
export async function until<T>(what: string, ask: () => Promise<T | false | undefined>): Promise<T> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; ) {
    const answer = await ask();
    if (answer !== false && answer !== undefined) return answer;
    await sleep(10);
  }
  throw new Error(`it never came: ${what}`);
}
