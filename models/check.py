#!/usr/bin/env python3
"""Checks every model here by spin, in every variant that it names, and prints a table.

A model says in its comment what `passes` and what `fails`: names to define, then words. What passes
must hold in a complete search; in what fails, the search must find an error.
"""

import collections
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

FOLDER = pathlib.Path(__file__).resolve().parent
MEGABYTES = 1500
SECONDS = 300

Variant = collections.namedtuple("Variant", "model defines expected")
Outcome = collections.namedtuple("Outcome", "found states seconds right")


def variants():
    line = re.compile(r"^// (passes|fails):((?: [A-Z_]+(?:=\d+)?(?= |$))*)", re.M)
    for model in sorted(FOLDER.glob("*.pml")):
        for expected, defines in line.findall(model.read_text()):
            yield Variant(model, tuple(defines.split()), expected)


def run(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS)
    return done.stdout + done.stderr


def found_by(search):
    """What a search has found: `passes`, `fails`, or why it says nothing."""
    errors = re.search(r"errors: (\d+)", search)
    if not errors:
        return "no search: " + " ".join(search.split())[-200:]
    if int(errors[1]):
        error = re.search(r"pan:\d+: (assertion violated|invalid end|acceptance cycle)", search)
        return "fails" if error else "another error than its model is about"
    incomplete = re.search(r"max search depth too small|out of memory|not completed", search)
    return "incomplete: " + incomplete[0] if incomplete else "passes"


def check(variant):
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        defines = ["-D" + name for name in variant.defines]
        search = run(["spin", "-a", *defines, str(variant.model)], folder)
        if os.path.exists(folder + "/pan.c"):
            speed = "-O2" if variant.expected == "passes" else "-O0"  # errors are found early
            search = run(["cc", speed, "-w", "-DSAFETY", "-DCOLLAPSE", f"-DMEMLIM={MEGABYTES}",
                          "-o", "pan", "pan.c"], folder) or run(["./pan", "-m2000000"], folder)
    states = re.search(r"(\S+) states, stored", search)
    found = found_by(search)
    return Outcome(found, int(float(states[1])) if states else 0, time.monotonic() - begin,
                   found == variant.expected)


def main():
    wanted = [one for one in variants() if not sys.argv[1:] or one.model.stem in sys.argv[1:]]
    if not wanted:
        sys.exit("models: there is no such model")
    print(f"{'model':13} {'variant':45} {'expected':8}  {'states':>9}  {'seconds':>7}")
    wrong = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        longest_first = sorted(wanted, key=lambda one: one.expected != "passes")
        running = {one: pool.submit(check, one) for one in longest_first}
        for variant in wanted:
            outcome = running[variant].result()
            wrong += not outcome.right
            print(f"{variant.model.stem:13} {' '.join(variant.defines) or 'as it is':45} "
                  f"{variant.expected:8}  {outcome.states:9}  {outcome.seconds:7.1f}"
                  + ("" if outcome.right else f"  WRONG: {outcome.found}"), flush=True)
    print(f"{len(wanted) - wrong} as expected, {wrong} not")
    sys.exit(wrong != 0)


if __name__ == "__main__":
    main()
