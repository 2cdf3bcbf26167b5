#!/usr/bin/env python3
"""Measures Bulkhead, the machine's floor and the peers one after the other, and prints one table.

Each program prints its figures as JSON, {column: {row: value}}, when it is told to `measure` (or
to `measure-quickly`). Told to be `idle`, it starts a worker, says which process that is, and waits
for the end of its input.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import subprocess
import sys

import idle
import table

HERE = pathlib.Path(__file__).parent


def peers_in(programs):
    """{column: command} of the peers that are there."""
    here = programs / "peers"
    commands = {name: [here / name] for name in ("grpc", "capnproto", "zeromq", "message_queue")}
    peers = {name: command for name, command in commands.items() if command[0].exists()}
    peers["process_pool_executor"] = [sys.executable, HERE / "peers/process_pool_executor.py"]
    for name in ("jest_worker", "tinypool"):
        if (here / "node_modules" / name.replace("_", "-")).exists():
            peers[name] = ["node", here / f"{name}.mjs"]
    return peers


def figures_of(command, quick):
    print(f"measuring {pathlib.Path(command[-1]).stem}", file=sys.stderr)
    how = "measure-quickly" if quick else "measure"
    return json.loads(subprocess.run([*command, how], stdout=subprocess.PIPE, check=True).stdout)


def measure(programs, peers, quick):
    """{column: {row: value}}"""
    ours = programs / "bulkhead_bench"
    seconds = 1 if quick else 10
    columns = figures_of([ours], quick)
    columns["ours"] |= idle.measure([ours, "idle"], seconds)
    columns["floor"] |= idle.measure([ours, "idle-floor"], seconds)
    for name, command in peers.items():
        try:
            columns |= figures_of(command, quick)
            columns[name] |= idle.measure([*command, "idle"], seconds)
        except (subprocess.CalledProcessError, OSError, ValueError) as error:
            columns[name] = {}
            print(f"{name} could not be measured: {error}", file=sys.stderr)
    return columns


def processor():
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def circumstances(columns, peers):
    """As rows, too: when, where, and which versions."""
    machine = [
        f"{len(os.sched_getaffinity(0))} cores of {processor()}",
        "Linux " + ".".join(platform.release().split(".")[:2]),
        platform.freedesktop_os_release()["PRETTY_NAME"],
    ]
    none = {"floor": None, "unit": ""} | dict.fromkeys(peers)
    return {
        "date": none | {"ours": datetime.date.today().isoformat()},
        "machine": none | {"ours": ", ".join(machine)},
        "version": none | {c: columns[c].get("version") for c in ("ours", *peers)},
    }


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", add_help=False)
    parser.add_argument("programs", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--json", type=argparse.FileType("w"), metavar="FILE")
    options = parser.parse_args()

    peers = peers_in(options.programs) if options.peers else {}
    columns = measure(options.programs, peers, options.quick)
    rows = table.rows_of(columns, peers) | circumstances(columns, peers)
    print(table.text(rows))
    if options.json:
        json.dump(rows, options.json, indent=2)
        options.json.write("\n")


if __name__ == "__main__":
    main()
