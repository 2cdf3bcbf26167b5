#!/usr/bin/env python3
"""The rows: their order, their words, and how they are printed.

usage: table.py FILE.json, as `./dev bench --json FILE` wrote it
"""

import collections
import json
import sys

Row = collections.namedtuple("Row", "label unit more_is_better peers_as", defaults=(False, None))

# README.md says what each one is. `peers_as`: the row that peers fill in instead.
ROWS = {
    "call_p50_us": Row("one call, p50", "us"),
    "call_p99_us": Row("one call, p99", "us"),
    "call_two_cores_p50_us": Row("... pinned to two cores, p50", "us"),
    "call_two_cores_p99_us": Row("... pinned to two cores, p99", "us"),
    "call_one_core_p50_us": Row("... pinned to one core, p50", "us"),
    "call_one_core_p99_us": Row("... pinned to one core, p99", "us"),
    "call_one_core_to_pipes_p50_us": Row("... the same, floor: pipes, p50", "us"),
    "call_pool_p50_us": Row("... of a pool, p50", "us"),
    "call_pool_p99_us": Row("... of a pool, p99", "us"),
    "call_busy_core_p50_us": Row("... beside two busy processes, floor: pipes, p50", "us"),
    "call_busy_core_p99_us": Row("... beside two busy processes, floor: pipes, p99", "us"),
    "call_each_ms_p50_us": Row("one call each millisecond, floor: socketpair, p50", "us"),
    "call_each_ms_p99_us": Row("one call each millisecond, floor: socketpair, p99", "us"),
    "both_asleep_p50_us": Row("both sides asleep, floor: the best, p50", "us"),
    "both_asleep_to_socketpair_p50_us": Row("... the same, floor: socketpair, p50", "us"),
    "both_asleep_to_eventfd_p50_us": Row("... the same, floor: eventfd, p50", "us"),
    "both_asleep_to_futex_p50_us": Row("... the same, floor: futex, p50", "us"),
    "throughput_per_s": Row("256 calls open", "1/s", more_is_better=True),
    "throughput_pool_per_s": Row("... of a pool", "1/s", more_is_better=True),
    "throughput_4_threads_per_s": Row("... from 4 threads, floor: from one", "1/s", more_is_better=True),
    "channel_to_app_per_s": Row("items of a channel to the app, floor: calls", "1/s", more_is_better=True),
    "channel_to_worker_per_s": Row("... to the worker, floor: calls", "1/s", more_is_better=True),
    "progress_told_per_s": Row("progress values that a handler tells, floor: calls", "1/s", more_is_better=True),
    "progress_heard_per_s": Row("... of which are heard", "1/s", more_is_better=True),
    "throughput_callbacks_per_s": Row("... by callbacks, floor: by futures", "1/s", more_is_better=True),
    "throughput_own_callbacks_per_s": Row("... without an executor, floor: by futures", "1/s", more_is_better=True),
    "throughput_coroutines_per_s": Row("... by coroutines, floor: by futures", "1/s", more_is_better=True),
    "allocations_callback": Row("allocations of a callback's call", ""),
    "allocations_coroutine": Row("... of a coroutine's", ""),
    "string_1mib_p50_us": Row("string of 1 MiB, p50", "us"),
    "string_64mib_p50_us": Row("string of 64 MiB, p50", "us"),
    "string_64mib_mb_per_s": Row("string of 64 MiB", "MB/s", more_is_better=True),
    "bytes_64mib_p50_us": Row("Bytes of 64 MiB, p50", "us", peers_as="string_64mib_p50_us"),
    "worker_ready_ms": Row("start to first answer", "ms"),
    "pool_of_1_ready_ms": Row("start of a pool of 1", "ms"),
    "further_worker_ms": Row("each further worker", "ms"),
    "worker_preloaded_ready_ms": Row("a worker forked from 500 MiB", "ms"),
    "recover_ms": Row("crash to next answer", "ms"),
    "worker_replaced_ms": Row("... of that, a new worker", "ms"),
    "recover_spare_ms": Row("... with a spare", "ms"),
    "kill_told_ms": Row("a worker is killed, until told", "ms"),
    "kill_told_p99_ms": Row("... p99", "ms"),
    "crash_told_ms": Row("crash with 512 MiB, until told", "ms"),
    "crash_told_p99_ms": Row("... p99", "ms"),
    "idle_private_mib": Row("an idle worker's memory", "MiB"),
    "idle_wakeups_per_s": Row("wake-ups when idle", "1/s"),
    "idle_cpu_ms_per_s": Row("CPU time when idle", "ms/s"),
}

# Ours alone, {number: value}.
Curve = collections.namedtuple("Curve", "label number unit")
CURVES = {
    "curve_workers": Curve("calls a second, 256 open", "workers", "1/s"),
    "curve_in_flight": Curve("calls a second of one worker", "open", "1/s"),
}


def rows_of(columns, peers):
    """From {column: {row: value}} to {row: {"ours", "floor", "unit" and each peer}}."""
    rows = {}
    for name, row in ROWS.items():
        cells = {c: columns[c].get(name) for c in ("ours", "floor")}
        rows[name] = cells | {"unit": row.unit}
        rows[name] |= {p: columns[p].get(row.peers_as or name) for p in peers}
    for name, curve in CURVES.items():
        cells = {"ours": columns["ours"].get(name), "floor": None, "unit": curve.unit}
        rows[name] = cells | dict.fromkeys(peers)
    return rows


def ratio(name, one, other):
    """How many times worse `one` is than `other`; None where that says nothing."""
    if not one or not other:
        return None
    return other / one if ROWS[name].more_is_better else one / other


def number(value):
    """Three digits, or all of a larger whole one."""
    if value is None:
        return ""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:#.3g}" if value else "0"


def aligned(lines, left=(0,)):
    """Lines of cells as lines of text; the columns in `left` begin together, the others end so."""
    widths = [max(map(len, column)) for column in zip(*lines)]
    for line in lines:
        cells = (
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths))
        )
        yield "  ".join(cells).rstrip()


def curve_text(curve, values):
    label = f"{curve.label} ({curve.unit})"
    return aligned([[curve.number, *values], [label, *map(number, values.values())]])


def text(rows):
    """All of it, as lines: `rows` are those of rows_of, and circumstances."""
    peers = [c for c in rows["version"] if c not in ("ours", "floor", "unit")]
    lines = [["", "ours", "floor", "ratio", "unit", *peers]]
    for name, row in ((name, rows[name]) for name in ROWS if name in rows):
        times = ratio(name, row["ours"], row["floor"])
        cells = [number(row["ours"]), number(row["floor"]), f"{times:.1f}" if times else ""]
        lines.append([ROWS[name].label, *cells, row["unit"], *(number(row[p]) for p in peers)])
    lines.append(["version", rows["version"]["ours"], "", "", ""])
    lines[-1] += [rows["version"][p] or "" for p in peers]
    printed = [f"{rows['date']['ours']}, {rows['machine']['ours']}", "", *aligned(lines, (0, 4))]
    for name, curve in CURVES.items():
        if rows.get(name) and rows[name]["ours"]:
            printed += ["", *curve_text(curve, rows[name]["ours"])]
    return "\n".join(printed)


if __name__ == "__main__":
    print(text(json.load(open(sys.argv[1]))))
