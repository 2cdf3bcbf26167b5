// jest-worker with one child process. A crashed call is not tried again.
import { createRequire } from 'node:module';
import { Worker } from 'jest-worker';
import { run } from './node_pool.mjs';

const { version } = createRequire(import.meta.url)('jest-worker/package.json');

await run('jest_worker', version, () => {
  const worker = new Worker(new URL('node_tasks.mjs', import.meta.url), {
    numWorkers: 1,
    maxRetries: 0,
    exposedMethods: ['echo', 'pid', 'crash'],
  });
  return { call: (name, argument) => worker[name](argument), end: () => worker.end() };
});
