"""Bar and line charts as SVG, with the standard library alone. The same data gives the same bytes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from xml.sax.saxutils import escape

WIDTH = 720
ROW = 26
TOP = 52
LETTER = 6.6  # pixels that a letter of the labels takes
RIGHT = 90  # room for the value behind the longest bar
INK, PALE, BAR, WHISKER = "#1f2933", "#9aa5b1", "#3b7dd8", "#1f2933"
LINES = (BAR, "#d8743b", "#4a9d5b", "#8d5bb5")
GRID = "#e4e7eb"
PLOT = 200  # the height of what lines are drawn in
TICKS = 7  # steps of an axis, at most


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _position(value: float, low: float, high: float, logarithmic: bool) -> float:
    """Where a value lies between low and high, 0 to 1."""
    if logarithmic:
        return math.log(value / low) / math.log(high / low)
    return value / high


def _begin(height: float, title: str, unit: str) -> list[str]:
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="8" y="20" font-size="14" font-weight="bold" fill="{INK}">{escape(title)}</text>',
        f'<text x="8" y="38" fill="{PALE}">{escape(unit)}</text>']


def bars(title: str, unit: str, rows: Sequence[tuple[str, float, float, float]], logarithmic: bool = False) -> str:
    """A bar for each (label, least, median, most): as long as the median, with a line from the least to the most."""
    left = 16 + LETTER * max(len(label) for label, *_ in rows)
    span = WIDTH - left - RIGHT
    high = max(most for *_, most in rows)
    low = min(least for _, least, *_ in rows) / 2
    height = TOP + ROW * len(rows) + 8
    scale = ", logarithmic" if logarithmic else ""
    parts = _begin(height, title, f"{unit}{scale}; median, line from least to most")
    for at, (label, least, median, most) in enumerate(rows):
        middle = TOP + ROW * at + ROW / 2
        first, length, last = (left + span * _position(value, low, high, logarithmic) for value in (least, median, most))
        parts += [
            f'<text x="{left - 8:.0f}" y="{middle + 4:.0f}" text-anchor="end" fill="{INK}">{escape(label)}</text>',
            f'<rect x="{left:.0f}" y="{middle - 8:.0f}" width="{max(1.0, length - left):.1f}" height="16" fill="{BAR}"/>',
            f'<text x="{max(last, length) + 6:.1f}" y="{middle + 4:.0f}" fill="{INK}">{number(median)}</text>']
        if least != most:
            parts.append(f'<path d="M{first:.1f} {middle:.0f}H{last:.1f}" stroke="{WHISKER}" stroke-width="1.5"/>')
    return "\n".join([*parts, "</svg>", ""])


def ticks(high: float) -> list[float]:
    """Round values from 0 to the first that is not below `high`: 1, 2 or 5 times a power of ten apart."""
    step = 10.0 ** math.floor(math.log10(high / TICKS))
    step *= next(times for times in (1, 2, 5, 10) if step * times * TICKS >= high)
    return [step * place for place in range(math.ceil(high / step) + 1)]


def lines(title: str, unit: str, along: str, rows: dict[str, Sequence[Sequence[float]]]) -> str:
    """A line for each label through its points of (x, y), from 0 on both axes. `along` says what x is."""
    end = max(x for points in rows.values() for x, _ in points)
    up = ticks(max(y for points in rows.values() for _, y in points))
    left, right, bottom = 56, WIDTH - 24, TOP + PLOT
    parts = _begin(bottom + 44, title, unit)
    for value in up:
        y = bottom - PLOT * value / up[-1]
        parts += [f'<path d="M{left} {y:.1f}H{right}" stroke="{GRID}"/>',
                  f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end" fill="{INK}">{number(value)}</text>']
    for value in ticks(end):
        if value > end:
            break
        x = left + (right - left) * value / end
        parts.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle" fill="{INK}">{number(value)}</text>')
    parts.append(f'<text x="{right}" y="{bottom + 36}" text-anchor="end" fill="{PALE}">{escape(along)}</text>')
    name_at = float(left)
    for colour, (label, points) in zip(LINES, rows.items()):
        path = "L".join(f"{left + (right - left) * x / end:.1f} {bottom - PLOT * y / up[-1]:.1f}" for x, y in points)
        parts += [f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>',
                  f'<rect x="{name_at:.0f}" y="{bottom + 28}" width="10" height="10" fill="{colour}"/>',
                  f'<text x="{name_at + 16:.0f}" y="{bottom + 37}" fill="{INK}">{escape(label)}</text>']
        name_at += 40 + LETTER * len(label)
    return "\n".join([*parts, "</svg>", ""])
