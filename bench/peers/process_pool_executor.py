"""Python's ProcessPoolExecutor with one worker. A crash breaks it for good: there is no recovery."""

import collections
import concurrent.futures
import json
import os
import platform
import statistics
import sys
import time

MIB = 1 << 20


def echo(payload):
    return payload


def worker_pid():
    return os.getpid()


def started():
    return concurrent.futures.ProcessPoolExecutor(max_workers=1)


def times_us(times, once):
    took = []
    for _ in range(times):
        start = time.perf_counter_ns()
        once()
        took.append((time.perf_counter_ns() - start) / 1e3)
    return took


def start_ms():
    begin = time.perf_counter_ns()
    pool = started()
    pool.submit(echo, b"x").result()
    took = (time.perf_counter_ns() - begin) / 1e6
    pool.shutdown()
    return took


def calls_per_second(pool, calls, open_calls=256):
    answers = collections.deque()
    start = time.perf_counter_ns()
    for _ in range(calls):
        if len(answers) == open_calls:
            answers.popleft().result()
        answers.append(pool.submit(echo, bytes(64)))
    for answer in answers:
        answer.result()
    return calls / (time.perf_counter_ns() - start) * 1e9


def measure(quick):
    figures = {"version": "Python " + platform.python_version()}
    figures["worker_ready_ms"] = statistics.median(start_ms() for _ in range(3 if quick else 20))
    with started() as pool:

        def text_us(size, times):
            text = "x" * size
            call = lambda: pool.submit(echo, text).result()
            call()
            return statistics.median(times_us(times, call))

        call = lambda: pool.submit(echo, bytes(64)).result()
        times_us(1000, call)
        took = sorted(times_us(2_000 if quick else 20_000, call))
        figures["call_p50_us"] = took[len(took) // 2]
        figures["call_p99_us"] = took[len(took) * 99 // 100]
        figures["throughput_per_s"] = max(
            calls_per_second(pool, 2_000 if quick else 20_000) for _ in range(3)
        )
        figures["string_1mib_p50_us"] = text_us(MIB, 20 if quick else 300)
        large = text_us(64 * MIB, 3 if quick else 15)
        figures["string_64mib_p50_us"] = large
        figures["string_64mib_mb_per_s"] = 2 * 64 * MIB / large
    print(json.dumps({"process_pool_executor": figures}))


def idle():
    with started() as pool:
        print(pool.submit(worker_pid).result(), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    what = sys.argv[1]
    idle() if what == "idle" else measure(quick=what == "measure-quickly")
