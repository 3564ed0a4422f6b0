import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { newErrors } from '../core/errors/catalogue/new.js';
import type { Files } from './project.js';

/** Throws usage `folder_has_files` where `folder` is there and holds anything. */
export function assertEmpty(folder: string): void {
  if (!existsSync(folder)) return;
  const files = readdirSync(folder);
  if (files.length > 0) throw newErrors.folder_has_files({ folder, files: files.slice(0, 5) });
}

/** Writes the files of a project into `folder`; one that is there is never written over. Throws as assertEmpty does. */
export function writeProject(folder: string, files: Files): void {
  assertEmpty(folder);
  for (const [path, content] of Object.entries(files)) {
    const to = join(folder, path);
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, content, { flag: 'wx' });
  }
}
