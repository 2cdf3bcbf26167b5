"""What a worker costs that nobody calls, seen from outside: the same for every subject."""

import pathlib
import subprocess
import time


def descendants(root):
    children = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, rest = int(stat.parent.name), stat.read_text().rsplit(")", 1)[1]
        except OSError:
            continue  # it has ended meanwhile
        children.setdefault(int(rest.split()[1]), []).append(pid)
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def field(path, name):
    """The number in the line `name: NUMBER`."""
    for line in path.read_text().splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0])
    return 0


def private_mib(pid):
    """Memory that ends with the process: what it shares with others is not counted."""
    rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup")
    return (field(rollup, "Private_Clean") + field(rollup, "Private_Dirty")) / 1024


def wake_ups_and_cpu_ms(root):
    """So far, of all threads of the process and of those below it."""
    wake_ups, cpu_ns = 0, 0
    for pid in descendants(root):
        for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
            # Each time that a thread is woken it goes to sleep again, of its own will.
            wake_ups += field(thread / "status", "voluntary_ctxt_switches")
            cpu_ns += int((thread / "schedstat").read_text().split()[0])
    return wake_ups, cpu_ns / 1e6


def measure(command, seconds):
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as app:
        worker = int(app.stdout.readline())
        time.sleep(2)  # until nobody spins or tidies up any more
        wake_ups, cpu_ms = wake_ups_and_cpu_ms(app.pid)
        time.sleep(seconds)
        wake_ups_then, cpu_ms_then = wake_ups_and_cpu_ms(app.pid)
        figures = {
            "idle_private_mib": private_mib(worker),
            "idle_wakeups_per_s": (wake_ups_then - wake_ups) / seconds,
            "idle_cpu_ms_per_s": (cpu_ms_then - cpu_ms) / seconds,
        }
        app.stdin.close()
    return figures
