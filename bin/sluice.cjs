#!/usr/bin/env node
// Of a form that every Node can read: one that is too old is told so in a sentence, where the command itself would be a
// syntax error to it.
'use strict';

var OLDEST = [20, 12];
var is = process.versions.node.split('.').map(Number);

if (is[0] < OLDEST[0] || (is[0] === OLDEST[0] && is[1] < OLDEST[1])) {
  process.stderr.write(
    'sluice needs Node.js ' + OLDEST.join('.') + ' or newer, and this is ' + process.versions.node +
      ': install a newer one (https://nodejs.org), then run it again\n'
  );
  process.exitCode = 2;
} else {
  require('./start.cjs');
}
