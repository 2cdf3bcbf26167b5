// tinypool with one child process.
import { createRequire } from 'node:module';
import { Tinypool } from 'tinypool';
import { run } from './node_pool.mjs';

const { version } = createRequire(import.meta.url)('tinypool/package.json');

await run('tinypool', version, () => {
  const pool = new Tinypool({
    filename: new URL('node_tasks.mjs', import.meta.url).href,
    runtime: 'child_process',
    serialization: 'advanced',
    minThreads: 1,
    maxThreads: 1,
    concurrentTasksPerWorker: 256,
  });
  return {
    call: (name, argument) => pool.run(argument, { name }),
    end: () => pool.destroy(),
  };
});
