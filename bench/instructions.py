#!/usr/bin/env python3
"""Counts the instructions of one call under callgrind, and compares them with those recorded.

usage: instructions.py --check|--record PROGRAM
"""

import os
import pathlib
import platform
import re
import subprocess
import sys

RECORD = pathlib.Path(__file__).with_suffix(".txt")
CASES = ("call", "call_256_open", "call_16kib")
CALLS = 1024
TOLERANCE = 0.05

HEAD = """\
# Instructions of one call, the caller's and the worker's together (README.md, "Instructions").
# Written by ./dev bench --record
"""

# The C library picks what suits the processor: here always what any x86-64 has.
PLAIN_PROCESSOR = {
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX512F,-AVX512VL,-ERMS,-FSRM,-AVX_Fast_Unaligned_Load"
}


def output_of(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def toolchain(program):
    valgrind = output_of("valgrind", "--version").replace("-", " ")
    return f"{output_of(program, 'toolchain')}, {valgrind}, {platform.machine()}"


def count(program, case):
    callgrind = [
        "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
        "--collect-atstart=no", "--toggle-collect=bulkhead_bench_counted",
    ]  # fmt: skip
    run = subprocess.run(
        [*callgrind, program, case, str(CALLS)],
        env=os.environ | PLAIN_PROCESSOR, stderr=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return int(re.search(r"Collected : (\d+)", run.stderr)[1]) // CALLS


def recorded():
    """What they were made with, and {case: instructions}."""
    lines = [line for line in RECORD.read_text().splitlines() if not line.startswith("#")]
    return lines[0], {case: int(number) for case, number in map(str.split, lines[1:])}


def record(program):
    lines = [f"{case} {count(program, case)}" for case in CASES]
    RECORD.write_text(HEAD + "\n".join([toolchain(program), *lines]) + "\n")
    print(RECORD.read_text(), end="")


def check(program):
    made_with, expected = recorded()
    here = toolchain(program)
    if here != made_with:
        print(f"not compared: they were recorded with {made_with}\nbut this is {here}")
        return 0
    worse, better = [], []
    for case, before in expected.items():
        now = count(program, case)
        print(f"{case}: {now} instructions, {before} recorded, {now / before - 1:+.1%}")
        if now > before * (1 + TOLERANCE):
            worse.append(case)
        if now < before * (1 - TOLERANCE):
            better.append(case)
    if worse:
        print(f"{', '.join(worse)}: more than {TOLERANCE:.0%} above what was recorded.")
        print("If that is wanted, record it anew and say why in the commit: ./dev bench --record")
    elif better:
        print("That is a gain: keep it by ./dev bench --record")
    return 1 if worse else 0


if __name__ == "__main__":
    what, program = sys.argv[1:]
    sys.exit(check(program) if what == "--check" else record(program))
