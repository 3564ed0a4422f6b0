import { writeFileSync } from 'node:fs';

// Loaded into a Node process that is measured: tells what it used, as GNU time does.
process.on('exit', () => {
  const file = process.env.SLUICE_BENCH_USAGE;
  if (file === undefined) return;
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  writeFileSync(file, `${userCPUTime / 1e6} ${systemCPUTime / 1e6} ${maxRSS}`);
});
