"""What the benchmarks share: the cost of a command, sides that take turns, and results that are kept.

Times on a machine with neighbours mean nothing alone. So the sides of a comparison take turns within one run, in an
order that turns round each time; what counts is the median of the ratios within each turn. Nothing here asserts.
"""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import platform
import re
import resource
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

BUILD = pathlib.Path(os.environ.get("BQSYNC_BUILD", "build")).resolve()
RESULTS = BUILD / "bench"
SAMPLES_A_SECOND = 200


class Cost(NamedTuple):
    """Of one command with all that it starts and waits for."""

    seconds: float
    cpu: float  # seconds of user and system time
    peak_mib: float  # resident at once, summed over the processes


class Spread(NamedTuple):
    least: float
    median: float
    most: float

    def text(self, form: str = "{:.2f}") -> str:
        """The median, with the least and the most if there are several values."""
        median, least, most = (form.format(value) for value in (self.median, self.least, self.most))
        return median if least == most else f"{median} ({least} to {most})"


def spread(values: Iterable[float]) -> Spread:
    ordered = sorted(values)
    return Spread(ordered[0], statistics.median(ordered), ordered[-1])


def _high_water(pid: int) -> float:
    """The high-water marks of a process and its children, in MiB. (What wait4 says counts the memory of the process
    that it was forked from as well.)"""
    total = 0.0
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                total = int(line.split()[1]) / 1024
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        total += sum(_high_water(int(child)) for child in children)
    except (FileNotFoundError, ProcessLookupError):
        pass
    return total


def cost_of(command: Sequence[object], environment: dict[str, str] | None = None, cwd: object = None,
            status: int = 0) -> Cost:
    """Runs a command to its end. Any other exit status ends the benchmark and shows what the command printed."""
    printed = tempfile.TemporaryFile()
    began = time.monotonic()
    process = subprocess.Popen([str(word) for word in command], env=environment, cwd=cwd,
                               stdin=subprocess.DEVNULL, stdout=printed, stderr=printed)
    ended = select.poll()
    descriptor = os.pidfd_open(process.pid)
    ended.register(descriptor, select.POLLIN)
    peak = 0.0
    while not ended.poll(1000 / SAMPLES_A_SECOND):
        peak = max(peak, _high_water(process.pid))
    _, wait_status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - began
    os.close(descriptor)
    process.returncode = os.waitstatus_to_exitcode(wait_status)
    if process.returncode != status:
        printed.seek(0)
        sys.exit(f"{' '.join(map(str, command))}: ended with {process.returncode}\n{printed.read().decode()}")
    printed.close()
    return Cost(seconds, usage.ru_utime + usage.ru_stime, peak)


def cpu_of(pid: int) -> float:
    """Seconds that a running process has computed."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return sum(map(int, file.read().rsplit(") ", 1)[1].split()[11:13])) / os.sysconf("SC_CLK_TCK")


def cpu_of_ended() -> float:
    """Seconds that the processes have computed which this one has started and waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def in_turns(sides: dict[str, Callable[[], object]], rounds: int) -> dict[str, list]:
    """What each side returned, round by round; every second round goes backwards."""
    results: dict[str, list] = {name: [] for name in sides}
    for number in range(rounds):
        for name in list(sides)[:: 1 if number % 2 == 0 else -1]:
            results[name].append(sides[name]())
    return results


def ratios(values: Sequence[float], base: Sequence[float]) -> Spread:
    """Of two sides that took turns."""
    return spread(value / other for value, other in zip(values, base))


class Printed(NamedTuple):
    """What a program of ours printed: a line about it, and a table whose cells are two blanks or more apart."""

    note: str
    columns: list[str]
    rows: list[list[str]]


def printed_by(name: str, *arguments: object, cwd: object = None) -> Printed:
    out = subprocess.run([BUILD / name, *map(str, arguments)], check=True, cwd=cwd, stdout=subprocess.PIPE, text=True).stdout
    note, *lines = out.splitlines()
    columns, *rows = [re.split(r" {2,}", line.strip()) for line in lines]
    return Printed(note + ".", columns, rows)


def machine() -> str:
    """One line about what the figures were measured on."""
    model = platform.machine()
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {os.cpu_count()} processors, {memory:.0f} GiB, Linux {platform.release().split('-')[0]}"


class Results:
    """What a benchmark found: printed, and kept in $BQSYNC_BUILD/bench/NAME.json for publish.py."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._document: dict[str, object] = {
            "machine": machine(), "load_before": round(os.getloadavg()[0], 1), "tables": {}, "charts": {}}

    def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[object]], note: str = "") -> None:
        """Texts, as they are to be read; the first column names the row."""
        texts = [[str(cell) for cell in row] for row in rows]
        self._document["tables"][name] = {"columns": list(columns), "rows": texts, "note": note}
        widths = [max(map(len, cells)) for cells in zip(columns, *texts)]
        for row in [list(columns), *texts]:
            print("  ".join(cell.ljust(width) if at == 0 else cell.rjust(width)
                            for at, (cell, width) in enumerate(zip(row, widths))))
        if note:
            print(note)

    def chart(self, name: str, title: str, unit: str, bars: dict[str, Spread], logarithmic: bool = False) -> None:
        self._document["charts"][name] = {
            "title": title, "unit": unit, "logarithmic": logarithmic,
            "bars": [[label, *(float(f"{value:.4g}") for value in bar)] for label, bar in bars.items()]}

    def lines(self, name: str, title: str, unit: str, along: str, lines: dict[str, list[list[float]]]) -> None:
        """A chart of a line for each label, through points of (x, y)."""
        self._document["charts"][name] = {"title": title, "unit": unit, "along": along, "lines": lines}

    def save(self) -> None:
        now = datetime.datetime.now(datetime.timezone.utc)
        self._document.update(date=now.date().isoformat(), load_after=round(os.getloadavg()[0], 1))
        RESULTS.mkdir(parents=True, exist_ok=True)
        path = RESULTS / f"{self.name}.json"
        path.write_text(json.dumps(self._document, indent=1, ensure_ascii=False) + "\n", "utf-8")
        print(f"kept in {path}", flush=True)
