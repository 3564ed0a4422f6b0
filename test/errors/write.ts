import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../support/server.js';
import { errorsPage } from './page.js';

// npm run docs:errors: docs/errors.md out of the code.
writeFileSync(join(projectFolder, 'docs', 'errors.md'), errorsPage());
