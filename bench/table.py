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
    "throughput_per_s": Row("256 calls open", "1/s", more_is_better=True),
    "string_1mib_p50_us": Row("string of 1 MiB, p50", "us"),
    "string_64mib_p50_us": Row("string of 64 MiB, p50", "us"),
    "string_64mib_mb_per_s": Row("string of 64 MiB", "MB/s", more_is_better=True),
    "bytes_64mib_p50_us": Row("Bytes of 64 MiB, p50", "us", peers_as="string_64mib_p50_us"),
    "worker_ready_ms": Row("start to first answer", "ms"),
    "pool_of_1_ready_ms": Row("start of a pool of 1", "ms"),
    "further_worker_ms": Row("each further worker", "ms"),
    "recover_ms": Row("crash to next answer", "ms"),
    "worker_replaced_ms": Row("... of that, a new worker", "ms"),
    "recover_spare_ms": Row("... with a spare", "ms"),
    "idle_private_mib": Row("an idle worker's memory", "MiB"),
    "idle_wakeups_per_s": Row("wake-ups when idle", "1/s"),
    "idle_cpu_ms_per_s": Row("CPU time when idle", "ms/s"),
}


def rows_of(columns, peers):
    """From {column: {row: value}} to {row: {"ours", "floor", "unit" and each peer}}."""
    rows = {}
    for name, row in ROWS.items():
        cells = {c: columns[c].get(name) for c in ("ours", "floor")}
        rows[name] = cells | {"unit": row.unit}
        rows[name] |= {p: columns[p].get(row.peers_as or name) for p in peers}
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
    widths = [max(map(len, column)) for column in zip(*lines)]
    printed = [f"{rows['date']['ours']}, {rows['machine']['ours']}", ""]
    for line in lines:
        cells = (
            cell.ljust(width) if i in (0, 4) else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths))
        )
        printed.append("  ".join(cells).rstrip())
    return "\n".join(printed)


if __name__ == "__main__":
    print(text(json.load(open(sys.argv[1]))))
