// What is common to Node's pools: a program that measures `pool`, as `start` makes it:
// call(name, argument) gives a promise of the answer, end() ends the pool.

const open_calls = 256;
const mib = 1 << 20;
const now_us = () => Number(process.hrtime.bigint()) / 1e3;

function percentile(samples, percent) {
  samples.sort((one, other) => one - other);
  return samples[Math.floor(((samples.length - 1) * percent) / 100)];
}

async function times_us(times, once) {
  const samples = [];
  for (let i = 0; i < times; ++i) {
    const begin = now_us();
    await once();
    samples.push(now_us() - begin);
  }
  return samples;
}

async function start_us(start) {
  const begin = now_us();
  const pool = start();
  await pool.call('echo', 'x');
  const took = now_us() - begin;
  await pool.end();
  return took;
}

async function calls_per_second(pool, calls) {
  const payload = Buffer.alloc(64);
  let left = calls;
  const keep_one_open = async () => {
    while (left-- > 0) await pool.call('echo', payload);
  };
  const begin = now_us();
  await Promise.all(Array.from({ length: open_calls }, keep_one_open));
  return (calls / (now_us() - begin)) * 1e6;
}

async function text_us(pool, size, times) {
  const text = 'x'.repeat(size);
  await pool.call('echo', text);
  return percentile(await times_us(times, () => pool.call('echo', text)), 50);
}

async function recover(pool) {
  await pool.call('crash').catch(() => {});
  await pool.call('echo', 'x');
}

async function measure(name, version, start, quick) {
  const figures = { version };
  const starts = [];
  for (let i = 0; i < (quick ? 3 : 20); ++i) starts.push(await start_us(start));
  figures.worker_ready_ms = percentile(starts, 50) / 1e3;

  const pool = start();
  const payload = Buffer.alloc(64);
  const call = () => pool.call('echo', payload);
  await times_us(1000, call);
  const calls = await times_us(quick ? 2_000 : 20_000, call);
  figures.call_p50_us = percentile(calls, 50);
  figures.call_p99_us = percentile(calls, 99);
  figures.throughput_per_s = 0;
  for (let i = 0; i < 3; ++i)
    figures.throughput_per_s = Math.max(
      figures.throughput_per_s, await calls_per_second(pool, quick ? 2_000 : 20_000));
  figures.string_1mib_p50_us = await text_us(pool, mib, quick ? 20 : 300);
  const large = await text_us(pool, 64 * mib, quick ? 3 : 15);
  figures.string_64mib_p50_us = large;
  figures.string_64mib_mb_per_s = (2 * 64 * mib) / large;
  figures.recover_ms =
    percentile(await times_us(quick ? 3 : 20, () => recover(pool)), 50) / 1e3;
  await pool.end();
  console.log(JSON.stringify({ [name]: figures }));
}

async function idle(start) {
  const pool = start();
  console.log(await pool.call('pid'));
  for await (const _ of process.stdin);
  await pool.end();
}

export async function run(name, version, start) {
  const what = process.argv[2];
  if (what === 'idle') await idle(start);
  else await measure(name, version, start, what === 'measure-quickly');
}
