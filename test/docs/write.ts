import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../support/server.js';
import { apiDocuments } from './api.js';

mkdirSync(join(projectFolder, 'docs', 'api'), { recursive: true });
for (const [path, text] of apiDocuments()) writeFileSync(join(projectFolder, path), text);
