import { generator } from '../../samples/lot-consolidation/system.js';
import { csvText, jsonlText, jsonText, mutated, pieces } from './inputs.js';
import { checkCsv, checkJson, checkJsonl } from './readers.js';

/** What a fuzzing came to. */
export interface Fuzzed {
  readonly inputs: { csv: number; jsonl: number; json: number };
  /** What was found, with the input; bounded. */
  readonly found: string[];
}

/** Findings kept: one bug is found again and again. */
const MOST_FOUND = 20;
/** openText takes so much to look at before it hands on the first piece: cuts come behind it. */
const SNIFFED = ' '.repeat(8192);

/** Reads random inputs, cut at random, until `going` says no, and compares what is read with the oracles. */
export async function fuzz(
  seed: number,
  fifo: string,
  going: (inputs: Fuzzed['inputs']) => boolean,
): Promise<Fuzzed> {
  const random = generator(seed);
  const fuzzed: Fuzzed = { inputs: { csv: 0, jsonl: 0, json: 0 }, found: [] };
  const note = (reader: keyof Fuzzed['inputs'], parts: readonly Buffer[], what: string | undefined) => {
    fuzzed.inputs[reader] += 1;
    if (what !== undefined && fuzzed.found.length < MOST_FOUND)
      fuzzed.found.push(
        `${reader}: ${what}: ${JSON.stringify(parts.map((part) => part.toString('latin1')))}`,
      );
  };
  const crashed = (error: unknown) => `it crashed: ${(error as Error)?.stack ?? error}`;
  while (going(fuzzed.inputs)) {
    const csv = pieces(random, mutated(random, csvText(random), 6));
    try {
      note('csv', csv, checkCsv(csv));
    } catch (error) {
      note('csv', csv, crashed(error));
    }
    const jsonl = pieces(random, mutated(random, jsonlText(random)));
    try {
      note('jsonl', jsonl, checkJsonl(jsonl));
    } catch (error) {
      note('jsonl', jsonl, crashed(error));
    }
    // A FIFO costs a hundred times what the others do.
    if (fuzzed.inputs.csv % 20 !== 0) continue;
    const json = [Buffer.from(SNIFFED), ...pieces(random, mutated(random, jsonText(random)))];
    try {
      note('json', json.slice(1), await checkJson(json, fifo));
    } catch (error) {
      note('json', json.slice(1), crashed(error));
    }
  }
  return fuzzed;
}
