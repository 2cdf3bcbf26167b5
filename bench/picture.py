#!/usr/bin/env python3
"""Draws the figures of `./dev bench --peers --json FILE`.

usage: picture.py FILE.json > FILE.svg

A panel for each of some rows; in it a bar for Bulkhead and one for each peer, on a logarithmic
scale of its own, and a line where the machine's floor is. A panel for each curve; in it a bar for
each number.
"""

import html
import json
import math
import sys

import table

PANELS = {
    "call_p50_us": "One call of 64 bytes, median",
    "throughput_per_s": "Calls a second, 256 of them open",
    "string_64mib_p50_us": "64 MiB there and back, as a string",
    "bytes_64mib_p50_us": "64 MiB as Bytes (peers: a string)",
    "worker_ready_ms": "Start to first answer",
    "recover_ms": "Crash to next answer",
    "idle_private_mib": "Memory of an idle worker",
}
NAMES = {
    "ours": "Bulkhead",
    "grpc": "gRPC",
    "capnproto": "Cap’n Proto",
    "zeromq": "ZeroMQ + cereal",
    "message_queue": "message_queue + cereal",
    "process_pool_executor": "ProcessPoolExecutor",
    "jest_worker": "jest-worker",
    "tinypool": "tinypool",
}

CURVES = {
    "curve_workers": "Calls a second, by workers",
    "curve_in_flight": "Calls a second, by open calls",
}

COLUMNS, WIDTH, GAP, MARGIN = 2, 420, 24, 16  # of panels; pixels
NAME, BAR, VALUE = 162, 17, 66  # widths beside the bars, and height of a bar's line
HEAD = 64

STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #24292f }
  .title { font-size: 17px; font-weight: 600 }
  .panel { font-size: 13px; font-weight: 600 }
  .small { font-size: 11px; fill: #57606a }
  .ours { fill: #1f6feb } text.ours { font-weight: 600 }
  .peer { fill: #afb8c1 }
  .floor { stroke: #cf222e; stroke-width: 1.5; stroke-dasharray: 3 2 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .small { fill: #9198a1 }
    .ours { fill: #4493f8 } .peer { fill: #59636e } .floor { stroke: #ff7b72 }
  }"""


def text(x, y, words, style="", anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{style}" text-anchor="{anchor}">{html.escape(words)}</text>'


def spoken(value, unit):
    larger = {"us": "ms", "ms": "s"}
    if unit in larger and value >= 1000:
        return spoken(value / 1000, larger[unit])
    if unit == "1/s":
        return f"{value / 1e6:.1f} M" if value >= 1e6 else f"{value / 1e3:.0f} k"
    return f"{table.number(value)} {unit.replace('us', 'µs')}"


def scale_for(values):
    """From a value to its share of the width; a little of it is left for the smallest."""
    low, high = math.log10(min(values)), math.log10(max(values))
    span = max(high - low, 1)
    return lambda value: 0.06 + 0.94 * (math.log10(value) - low) / span


def panel(x, y, title, more_is_better, lines, unit, floor=None):
    """`lines`: a name, a value if there is one, and a style for each."""
    parts = [text(x, y, title, "panel")]
    parts.append(text(x + WIDTH, y, f"{'more' if more_is_better else 'less'} is better", "small", "end"))
    share = scale_for([value for _, value, _ in lines if value] + [floor] * bool(floor))
    room = WIDTH - NAME - VALUE
    for line, (name, value, style) in enumerate(lines):
        top = y + 10 + line * BAR
        parts.append(text(x + NAME - 8, top + 12, name, style * (style == "ours"), "end"))
        if not value:
            parts.append(text(x + NAME, top + 12, "–", "small"))
            continue
        length = room * share(value)
        parts.append(f'<rect x="{x + NAME}" y="{top + 2}" width="{length:.1f}" height="{BAR - 4}" rx="2" class="{style}"/>')
        parts.append(text(x + NAME + length + 6, top + 12, spoken(value, unit), "small"))
    if floor:
        at = x + NAME + room * share(floor)
        parts.append(f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{y + 9}" y2="{y + 11 + BAR * len(lines)}" class="floor"/>')
    return parts


def panels_of(rows):
    """The arguments of each panel, but for its place."""
    columns = [c for c in NAMES if c in rows["call_p50_us"]]
    for name, title in PANELS.items():
        if name in rows and rows[name]["ours"]:
            row = rows[name]
            lines = [(NAMES[c], row[c], "ours" if c == "ours" else "peer") for c in columns]
            yield title, table.ROWS[name].more_is_better, lines, row["unit"], row["floor"]
    for name, title in CURVES.items():
        if name in rows and rows[name]["ours"]:
            curve = rows[name]["ours"].items()
            lines = [(f"{int(number):,}", value, "ours") for number, value in curve]
            yield title, True, lines, rows[name]["unit"]


def picture(rows):
    panels = list(panels_of(rows))
    height = BAR * max(len(lines) for _, _, lines, *_ in panels) + 44
    parts = [text(MARGIN, 26, "What a call into another process costs", "title")]
    floor = "the dashed line is the machine’s floor, such as bare rings or a bare exec"
    parts.append(text(MARGIN, 44, f"Logarithmic scales; {floor}.", "small"))
    for i, arguments in enumerate(panels):
        x = MARGIN + i % COLUMNS * (WIDTH + GAP)
        y = HEAD + i // COLUMNS * height + 12
        parts += panel(x, y, *arguments)
    width = 2 * MARGIN + COLUMNS * WIDTH + GAP
    bottom = HEAD + math.ceil(len(panels) / COLUMNS) * height + 8
    on = f"{rows['machine']['ours']}. {rows['date']['ours']}."
    parts.append(text(MARGIN, bottom, on, "small"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {bottom + 14}" '
        f'width="{width}" height="{bottom + 14}" role="img" aria-label="Benchmark figures">\n'
        f"<style>{STYLE}\n</style>\n" + "\n".join(parts) + "\n</svg>"
    )


if __name__ == "__main__":
    print(picture(json.load(open(sys.argv[1]))))
