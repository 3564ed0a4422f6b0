import type { Shares } from '../../run/given/events.js';
import type { WorkersState } from '../../run/load/workers/state.js';
import { table } from './table.js';
import { count, counted, seconds } from './terminal.js';

/** How far workers are with a batch, as lines of 80 columns at most, where hosts have short names. */
export function workersLines({ parts, hosts, slowest, retries, silent }: WorkersState): string[] {
  const states = [
    `${count(parts.loaded)} loaded`,
    ...part(parts.under_way, 'under way'),
    ...part(parts.waiting, 'waiting'),
    ...part(parts.left || null, 'left to others'),
    ...part(parts.failed || null, 'failed'),
  ];
  return [
    `parts by workers: ${states.join(', ')}; ${retries === 0 ? 'none begun twice' : counted(retries, 'retry', 'retries')}`,
    ...table(
      ['host', 'loaded', 'under way', 'rows', 'rows/s', 'retries'],
      hosts.map((each) => [
        each.host,
        count(each.parts),
        count(each.under_way),
        count(each.rows),
        each.parts === 0 ? '' : count(each.rows_per_second),
        count(each.retries),
      ]),
      { right: [1, 2, 3, 4, 5], indent: '  ' },
    ),
    ...(slowest === null
      ? []
      : [
          `slowest part: ${seconds(slowest.seconds)} for ${counted(slowest.rows, 'row')} of ${slowest.input}, from line ${count(slowest.line)} on, by ${slowest.host}`,
        ]),
    ...silent.map(
      ({ host, parts: its, silent: s }) =>
        `a worker on ${host} with ${counted(its, 'part')} has been silent for ${seconds(s)}: others take over what it has`,
    ),
  ];
}

const part = (n: number | null, what: string): string[] => (n === null ? [] : [`${count(n)} ${what}`]);

/** What hosts load, in `room` columns: each with its rows per second, else how many there are. */
export function hostsText({ parts, loaded, hosts }: Shares, room: number): string {
  const done = ` · ${count(loaded)}/${count(parts)} parts`;
  const each = hosts.map(({ host, rowsPerSecond }) => ` · ${host} ${count(rowsPerSecond)}/s`).join('');
  const many = ` · ${counted(hosts.length, 'host')}`;
  const texts = [`${done}${each}`, `${done}${many}`, ` · ${count(loaded)}/${count(parts)}${many}`, many];
  return texts.find((text) => text.length <= room) ?? '';
}
