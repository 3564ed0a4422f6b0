import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from './server.js';

/** The project's own code, by path. */
export const sources = ['src', 'sinks', 'transforms', 'pipelines'].flatMap((folder) =>
  readdirSync(join(projectFolder, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name}`),
);

/** The lines of it that match, with their places. */
export const found = (pattern: RegExp) =>
  sources.flatMap((path) =>
    readFileSync(join(projectFolder, path), 'utf8')
      .split('\n')
      .flatMap((line, at) => (pattern.test(line) ? [`${path}:${at + 1}: ${line.trim()}`] : [])),
  );
