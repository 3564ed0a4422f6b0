'use strict';

import('../dist/bundle/src/cli/main.js');
