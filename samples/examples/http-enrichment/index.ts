// Rows are completed by an HTTP service, a few requests at once (p-limit), their order kept. A row that the service does not
// know is a reject; a service that cannot be reached ends the batch, and nothing is published. The run's signal ends the
// requests where the run is asked to stop.
import pLimit from 'p-limit';
import { type Chunk, flow, memory, pipeline, type Run, replace } from 'sluice';
import { mapChunk } from 'sluice/transforms';

export interface Place {
  readonly id: string;
  readonly postcode: string;
}

const AT_ONCE = 4;

async function town(postcode: string, run: Run): Promise<string | undefined> {
  const answer = await fetch(`${run.settings.service}/${encodeURIComponent(postcode)}`, {
    signal: run.signal,
  });
  if (answer.status === 404) return undefined;
  if (!answer.ok) throw new Error(`the service answered ${answer.status} for ${postcode}`);
  return (await answer.text()).trim();
}

/** Adds the town of the postcode. */
export const withTown = mapChunk(async (places: Chunk<Place>, run) => {
  const limited = pLimit(AT_ONCE);
  const towns = await Promise.all(places.map(({ postcode }) => limited(() => town(postcode, run))));
  return places.flatMap((place, at) => {
    const found = towns[at];
    if (found !== undefined) return [{ ...place, town: found }];
    run.reject(place, { reason: 'unknown_postcode', column: 'postcode', value: place.postcode });
    return [];
  });
}, 'town of the postcode');

export default pipeline({
  name: 'http-enrichment',
  summary: 'Places with their towns, out of a service',
  settings: { service: { summary: 'where the service is', default: 'http://localhost:8080/towns' } },
  inputs: {
    places: memory<Place>('places', [
      { id: '1', postcode: '10115' },
      { id: '2', postcode: '00000' },
      { id: '3', postcode: '80331' },
    ]),
  },
  tables: { places: replace('places', { columns: ['id', 'postcode', 'town'] }) },
  flows: ({ inputs, tables }) => [flow(inputs.places).through(withTown).into(tables.places)],
});
