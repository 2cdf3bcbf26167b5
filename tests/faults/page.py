#!/usr/bin/env python3
"""Writes docs/faults.md from the words above the tests, but for its Known limits, which are written
by hand. --check says whether the page is up to date.

A test belongs to a fault by a comment right above its TEST_CASE:

    // Fault start.slow (idle, one call, many calls): its start takes too long.
    // Then: it is ended at `connect_timeout`, and told so.
    TEST_CASE("...") {

The words may go on for several lines, and are written once for each fault; other tests of it name
it only: `// Fault start.slow (many calls)`. The loads in brackets may be left out. A test may have
several. What stands before the dot is the part of the page. Tests without such a comment are fine.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "faults.md"
BY_HAND = "\n## Known limits\n"  # from here on the page is kept as it is
# The parts, and the faults of each in the order in which readers look for them; others come last.
PARTS = {
    "start": (
        "Starting",
        "program no-worker not-served mismatch module options thread-count dies slow some ready-early"
        " no-process descriptors memory idle-memory replaced-program threads depth async called-off",
    ),
    "crash": (
        "Crashes",
        "in-handler thread-ends signal not-begun begun told logged answered any-step beside poison bytes all lone loop"
        " spare spare-idle spare-loop spare-fork-server fork-server-killed fork-server-stopped fork-server-dies"
        " restarts core-file async coroutines traced",
    ),
    "value": (
        "Values and output",
        "throws own-code-throws too-large sizes bytes bytes-kept bytes-reused bytes-exhausted slow-call slow-reader slow-listener queue-full futures callback output flood",
    ),
    "channel": (
        "Channels",
        "items places slow dropped many death not-begun none-left ends-with-pool async forks",
    ),
    "stop": (
        "Calls that are stopped",
        "not-begun heeded unheeded run-timeout answered told token",
    ),
    "queue": ("The queue", "full priority key quarantine"),
    "reload": (
        "Reloading",
        "broken later-worker new-fork-server under-load long-call last-call hangs old-crash"
        " old-fork-server gave-up spares at-once shut-down many",
    ),
    "size": ("Growing and shrinking", "grow shrink lazy lazy-crash reload"),
    "recycle": ("Recycling", "requests memory age relief crash shutdown"),
    "broadcast": ("Calling each worker", "busy dies leaves"),
    "map": ("Ranges of calls", "ahead error"),
    "beat": ("Beating", "stopped killed busy app"),
    "events": ("Telling", "life calls slow broken owner output log log-coroutine log-flood log-throws"),
    "end": (
        "Ending",
        "shutdown grace hangs dies fork-server spares destroyed told helpers async async-shutdown context many-pools",
    ),
    "limit": ("Limits", "memory cpu files file-size processes core none"),
    "host": (
        "Applications",
        "ends outlived static thread-ends interrupted storm clock forks daemon children pid-reuse inherits signals no-stdio"
        " surroundings guest exit logger several-pools no-cgroup container debugger",
    ),
    "hostile": ("Hostile workers", "memory messages values progress log bytes truncate other-user channel doorbell words greedy kills"),
}
LOADS = {"idle": "idle", "one call": "one", "many calls": "many"}  # and on the page
FAULT = re.compile(r"Fault ([a-z]+\.[a-z-]+)(?: \(([^)]*)\))?(?:: |$)")
LINE = re.compile(r"^// Fault [a-z]+\.", re.M)

HEAD = """\
# What may go wrong, and what then happens

<!-- Written by tests/faults/page.py from the words above the tests: change those, then `./dev faults`. -->

Each line is shown by tests, with real processes wherever processes matter: look for its small id in the files that are named. What cannot be timed is forced by [fault points](fault_points.md). After each test nothing may be left: no process, zombie, shared-memory name, cgroup, descriptor or thread.

Where it matters what else a pool has to do, a fault is tried while the pool is **idle**, has **one** call, or has **many** that run and wait in all of its workers ([loads.hpp](../tests/faults/loads.hpp)); where it matters how workers are made, with forked and executed ones, with cgroups and without.

Besides, `./dev torture` kills workers, fork servers and applications by the hundred at random moments, `./dev attack` lets hostile workers change whatever they share with their app, and `./dev nth` makes each system call and each allocation fail once ([CONTRIBUTING.md](../CONTRIBUTING.md)).
"""
INTRODUCTION = {
    "stop": "A call is past its deadline, or its caller called it off.",
    "reload": "`Pool::reload` replaces all workers, by those of the program that is there by then."
    " Until a new worker is ready the old ones serve.",
    "hostile": "A worker that runs foreign code may write anything into what it shares with the app."
    " That must harm neither the app nor the calls of other workers. What it may do besides, as a"
    " process like any other, is among the known limits.",
}


class Fault:
    def __init__(self):
        self.words = self.then = ""
        self.loads = set()
        self.tests = []  # files


def fail(where, why):
    sys.exit(f"{where}: {why}")


def comments(text):
    """Each comment that stands right above a TEST_CASE, and its line."""
    for found in re.finditer(r"((?:^//[^\n]*\n)+)TEST_CASE\(", text, re.M):
        yield text.count("\n", 0, found.start()) + 1, found[1]


def faults_in(comment, where):
    """Slug, loads, what goes wrong, what then happens."""
    comment = " ".join(line[2:].strip() for line in comment.splitlines())
    for piece in re.split(r"(?=\bFault [a-z]+\.)", comment):
        if not piece.startswith("Fault "):
            continue
        head = FAULT.match(piece.strip())
        if not head:
            fail(where, f"this is not `Fault part.name (loads): words`: {piece}")
        loads = [load.strip() for load in (head[2] or "").split(",") if load.strip()]
        words, _, then = piece.strip()[head.end():].partition(" Then: ")
        yield head[1], loads, words.strip().rstrip("."), then.strip().rstrip(".")


def collect():
    faults = {}
    for path in sorted((ROOT / "tests").glob("*/*.cpp")):
        text = path.read_text()
        found = list(comments(text))
        above = sum(len(LINE.findall(comment)) for _, comment in found)
        if above != len(LINE.findall(text)):
            fail(path.relative_to(ROOT), "a `// Fault` stands above no TEST_CASE")
        for line, comment in found:
            where = f"{path.relative_to(ROOT)}:{line}"
            for slug, loads, words, then in faults_in(comment, where):
                fault = faults.setdefault(slug, Fault())
                if slug.split(".")[0] not in PARTS:
                    fail(where, f"{slug}: the parts are {', '.join(PARTS)}")
                if set(loads) - LOADS.keys():
                    fail(where, f"{slug}: the loads are {', '.join(LOADS)}")
                if bool(words) != bool(then) or (words and fault.words):
                    fail(where, f"{slug}: its words are written once, and with `Then:`")
                fault.words, fault.then = words or fault.words, then or fault.then
                fault.loads.update(loads)
                if path not in fault.tests:
                    fault.tests.append(path)
    for slug, fault in faults.items():
        if not fault.words:
            fail(fault.tests[0].relative_to(ROOT), f"{slug}: nobody says what it is")
    return faults


def cell(text):
    return text.replace("|", "\\|").replace("<", "&lt;")


def row(slug, fault):
    loads = ", ".join(LOADS[load] for load in LOADS if load in fault.loads)
    files = "<br>".join(f"[{path.stem}](../{path.relative_to(ROOT)})" for path in fault.tests)
    return f"| {cell(fault.words)}<br><sub>{slug}</sub> | {cell(fault.then)} | {loads} | {files} |"


def in_order(part, faults):
    order = PARTS[part][1].split()
    names = sorted(slug.partition(".")[2] for slug in faults if slug.startswith(part + "."))
    unknown = set(order) - set(names)
    if unknown:
        fail("PARTS", f"no test is of {part}.{min(unknown)}")
    return [f"{part}.{name}" for name in order + [name for name in names if name not in order]]


def page():
    faults = collect()
    lines = [HEAD]
    for part, (title, _) in PARTS.items():
        lines.append(f"## {title}\n")
        if part in INTRODUCTION:
            lines.append(INTRODUCTION[part] + "\n")
        lines.append("| what goes wrong | what happens | tried | tests |\n| --- | --- | --- | --- |")
        lines += [row(slug, faults[slug]) for slug in in_order(part, faults)]
        lines.append("")
    by_hand = BY_HAND + PAGE.read_text().partition(BY_HAND)[2]
    return "\n".join(lines) + by_hand


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        if PAGE.read_text() != page():
            sys.exit("docs/faults.md is not what the tests say: run ./dev faults")
    elif len(sys.argv) == 1:
        PAGE.write_text(page())
    else:
        sys.exit(__doc__)
