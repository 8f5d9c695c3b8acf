"""Bar charts as SVG, with the standard library alone. The same data gives the same bytes."""

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


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _position(value: float, low: float, high: float, logarithmic: bool) -> float:
    """Where a value lies between low and high, 0 to 1."""
    if logarithmic:
        return math.log(value / low) / math.log(high / low)
    return value / high


def bars(title: str, unit: str, rows: Sequence[tuple[str, float, float, float]], logarithmic: bool = False) -> str:
    """A bar for each (label, least, median, most): as long as the median, with a line from the least to the most."""
    left = 16 + LETTER * max(len(label) for label, *_ in rows)
    span = WIDTH - left - RIGHT
    high = max(most for *_, most in rows)
    low = min(least for _, least, *_ in rows) / 2
    height = TOP + ROW * len(rows) + 8
    scale = ", logarithmic" if logarithmic else ""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="8" y="20" font-size="14" font-weight="bold" fill="{INK}">{escape(title)}</text>',
        f'<text x="8" y="38" fill="{PALE}">{escape(unit)}{scale}; median, line from least to most</text>']
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
