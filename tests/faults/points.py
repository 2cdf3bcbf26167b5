#!/usr/bin/env python3
"""Writes docs/fault_points.md: each fault point of src, where it is, and what covers it.

What a point is for is said here, in POINTS. The rest is read from the sources: where they stand,
which tests name them, and where the campaign (tests/torture) kills. It fails when a point and
POINTS do not fit, when nothing covers a point, when a test names one that there is not, and when a
process has none in a stage that it takes part in. --check says, too, whether the page is up to date.
"""
import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "fault_points.md"

# The stages, and the processes that take part in each.
STAGES = {
    "launch": "app, fork server, worker",
    "handshake": "app, fork server, worker",
    "request": "app, worker",
    "response": "app, worker",
    "stream": "app, worker",
    "blob": "app, worker",
    "restart": "app, fork server, worker",
    "shutdown": "app, fork server, worker",
}
PROCESSES = ("app", "fork server", "worker")
# name | processes, if its name does not begin with one | stages | what has happened, or is about to
POINTS = """
spawn                           | app, fork server | launch, restart  | a program is to be executed
app.after_launch                |             | launch, restart       | the program of the fork server runs
fork_server.before_greeting     |             | launch, restart       | its program has come to `serve_if_worker`
fork                            | fork server | launch, restart       | a worker is to be forked
fork_server.before_fork         |             | launch, restart       | it was ordered to start a worker
fork_server.before_started      |             | launch, restart       | a worker is there, and the app not told
worker.after_fork               |             | launch, restart       | it is a process of its own
worker.after_exec               |             | launch, restart       | its program has come to `serve_if_worker`
app.after_greeting              |             | handshake             | the fork server serves what the app calls
fork_server.after_greeting      |             | handshake             | it has said what it serves
fork_server.before_serving      |             | handshake             | it has preloaded
fork_server.before_confining    |             | handshake             | it has heard how workers are to be held
app.before_order                |             | handshake, restart    | it is about to order a worker
app.before_lock                 |             | handshake, restart    | a segment has a name, and no lock yet
app.after_order                 |             | handshake, restart    | a worker is ordered, and its segment made
worker.before_open              |             | handshake, restart    | it knows the name of its segment
worker.after_open               |             | handshake, restart    | it has mapped its segment
worker.start_thread             |             | handshake, restart    | it is about to start one of its threads
worker.before_ready             |             | handshake, restart    | it has warmed up
worker.after_ready              |             | handshake, restart    | it has said that it is ready
app.before_unlink               |             | handshake, restart    | a worker is ready, and its segment has its name still
app.mid_request                 |             | request               | a part of a large request is out
worker.before_claim             |             | request               | it has read a request, and not taken it up
worker.after_claim              |             | request               | it has taken a request up
worker.mid_request              |             | request               | a part of a large request has come
ring.before_publish             | app, worker | request, response     | a frame is in the ring, and not published
link.before_ring                | app, worker | request, response     | a frame is published, and its reader not woken
worker.before_response          |             | response              | the handler has returned
worker.mid_response             |             | response              | a part of a large response is out
worker.after_response           |             | response              | its answer is out
app.mid_response                |             | response              | a part of a large response has come
app.before_delivery             |             | response              | answers have come, and nobody is told
app.channel                     |             | stream                | memory for a channel is to be made
worker.end_needed               |             | stream                | it waits for its end of a channel
channel.mid_item                | app, worker | stream                | a part of a large item is out
channel.part_taken              | app, worker | stream                | a part of a large item has come
channel.left                    | app, worker | stream                | a sender has left, and its receiver is not woken
memory.make                     | app, worker | blob                  | memory for a buffer is to be made
blob.before_seal                | app, worker | blob                  | a buffer is made, and not sealed
memory.map                      | app, worker | blob                  | a buffer is to be mapped
worker.bytes_needed             |             | blob                  | it waits for a buffer of the app's
app.before_giving               |             | blob                  | a worker waits for a buffer of the app's
worker.bytes_passed             |             | blob                  | it has passed a buffer, and no message that names it
app.before_mapping              |             | blob                  | it has a worker's buffer, and has not mapped it
fork_server.before_report       |             | restart               | it has reaped a worker, and the app not told
fork_server.after_report        |             | restart               | the worker's tree lives on
app.clear_roof                  |             | restart, shutdown     | the cgroup of a dead fork server is to be removed
app.before_restart              |             | restart               | a place is to be filled again
app.before_asking_to_leave      |             | shutdown              | all calls are settled
worker.before_leaving           |             | shutdown              | it was asked to leave
app.before_terminating          |             | shutdown              | the grace is over, and what was left has failed
app.before_kill                 |             | shutdown              | a fork server cannot be used
app.before_close                |             | shutdown              | its workers are gone
fork_server.leave               |             | shutdown              | the app is gone, or has hung up
fork_server.mid_leaving         |             | shutdown              | all trees are dead, and names may be left
stdio.write                     | app         |                       | a worker's line is to be written to the app's output
"""

HEAD = """\
# Fault points

<!-- Written by tests/faults/points.py from the sources and the tests: change those, then `./dev faults`. -->

Named places in the library where a test makes its process die by a given signal, exit, stop, stall, have a system call fail with a given errno, or write less than it wanted ([fault.hpp](../src/platform/fault.hpp)). They are compiled into test builds only. What must then happen is among the [faults](faults.md).

The campaign (`./dev torture`) kills workers and fork servers at each of theirs, by SIGKILL, SIGSEGV, `abort` and `exit`, and applications at many of their own; `./dev nth` makes every system call and allocation fail besides.
"""
DOTTED = re.compile(r"(app|fork_server|worker|ring|link|channel|blob|stdio)\.[a-z_]+")
WITH_ACTION = re.compile(r"([a-z_.]+):(?:\d*|\*)(?::[a-z]*(?:=\d*)?)?")
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"')


def fail(why):
    sys.exit(f"tests/faults/points.py: {why}")


class Point:
    def __init__(self, line):
        self.name, of, stages, self.words = (cell.strip() for cell in line.split("|"))
        by_name = self.name.partition(".")[0].replace("_", " ")
        self.processes = of.split(", ") if of else [by_name]
        self.stages = stages.split(", ") if stages else []
        self.source = None
        self.tests = []
        self.campaign = []
        if not set(self.processes) <= set(PROCESSES) or not set(self.stages) <= set(STAGES):
            fail(f"{self.name}: it has a process or a stage that there is not")


def read_points():
    points = {point.name: point for point in map(Point, POINTS.strip().splitlines())}
    for path in sorted((ROOT / "src").glob("*/*.cpp")):
        for name in re.findall(r'fault_(?:point|errno|length)\(\s*"([^"]+)"', path.read_text()):
            if name not in points:
                fail(f"{path.name} has a point {name} that POINTS does not have")
            points[name].source = path
    for point in points.values():
        if not point.source:
            fail(f"POINTS has {point.name}, and the sources have not")
    return points


def named_in(path, points):
    """The points that string literals of the file name, alone or with what is to happen."""
    names = set()
    for literal in LITERAL.findall(path.read_text()):
        for piece in literal.split(";"):
            told = WITH_ACTION.fullmatch(piece)
            name = told[1] if told else piece
            if name in points and (told or "." in name):
                names.add(name)
            elif DOTTED.fullmatch(name):
                fail(f"{path.relative_to(ROOT)} names {name}, which there is not")
    return names


def read_tests(points):
    for path in sorted((ROOT / "tests").glob("*/*.[ch]pp")):
        if path.parent.name != "torture" and path.stem != "fault_test":
            for name in named_in(path, points):
                points[name].tests.append(path)


def read_campaign(points):
    torture = ROOT / "tests" / "torture"
    for name, victim in re.findall(r'Point\{"([a-z_.]+)", Victim::(\w+)', (torture / "points.hpp").read_text()):
        if name in points:
            points[name].campaign.append("kills the " + victim.replace("_", " "))
    for name, action in re.findall(r'"([a-z_.]+):\d+:(\w+)"', (torture / "apps.cpp").read_text()):
        how = "kills the app" if action == "kill" else "kills the app meanwhile"
        if how not in points[name].campaign:
            points[name].campaign.append(how)


def holes(points):
    for point in points.values():
        if not point.tests and not point.campaign:
            fail(f"nothing covers {point.name}")
    for stage, processes in STAGES.items():
        for process in processes.split(", "):
            if not any(stage in point.stages and process in point.processes for point in points.values()):
                fail(f"the {process} has no point in a {stage}")


def overview(points):
    count = collections.Counter(
        (stage, process) for point in points.values() for stage in point.stages for process in point.processes
    )
    yield "| stage | " + " | ".join(PROCESSES) + " |\n| --- |" + " --- |" * len(PROCESSES)
    for stage in STAGES:
        yield f"| {stage} | " + " | ".join(str(count[stage, process] or "") for process in PROCESSES) + " |"


def row(point):
    tests = "<br>".join(f"[{path.stem}](../{path.relative_to(ROOT)})" for path in point.tests)
    cells = [
        f"[`{point.name}`](../{point.source.relative_to(ROOT)})",
        ", ".join(point.processes),
        ", ".join(point.stages),
        point.words,
        tests,
        ", ".join(point.campaign),
    ]
    return "| " + " | ".join(cells) + " |"


def page():
    points = read_points()
    read_tests(points)
    read_campaign(points)
    holes(points)
    lines = [HEAD, "So many points are there in each stage of each process:\n", *overview(points), ""]
    lines.append("| point | process | stage | then | tests | the campaign |\n| --- | --- | --- | --- | --- | --- |")
    lines += map(row, points.values())
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        if not PAGE.exists() or PAGE.read_text() != page():
            sys.exit("docs/fault_points.md is not what the tests say: run ./dev faults")
    elif len(sys.argv) == 1:
        PAGE.write_text(page())
    else:
        sys.exit(__doc__)
