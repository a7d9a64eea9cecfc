"""Curves as SVG: plain numbers go in, places of points come out; a template draws them, without a style of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 440, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 42, 8, 12, 24


@dataclass(frozen=True, slots=True)
class Series:
    """A line: ``name`` is its class in the stylesheet, ``label`` what people read; None: nothing to show there."""

    name: str
    label: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Line:
    """A series, drawn: ``path`` is of SVG, ``dots`` the places of its values."""

    name: str
    label: str
    path: str
    dots: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Column:
    """A place on the time axis, as wide as a finger: ``says`` all values there, ``href`` what it leads to."""

    x: float
    width: float
    says: str
    href: str


@dataclass(frozen=True, slots=True)
class Chart:
    """``ticks``: heights with their labels; ``times``: places on the axis below, with theirs."""

    lines: Sequence[Line]
    columns: Sequence[Column]
    ticks: Sequence[tuple[float, str]]
    times: Sequence[tuple[float, str]]
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    bottom: int = HEIGHT - _BOTTOM
    width: int = WIDTH
    height: int = HEIGHT


def chart(
    series: Sequence[Series], says: Sequence[str], hrefs: Sequence[str], times: Sequence[str], unit: str = ""
) -> Chart:
    """All series over the same times, with one scale. ``says``, ``hrefs``, ``times``: of each time."""
    highest = _round_up(max((v for one in series for v in one.values if v is not None), default=0.0))
    many = len(says)
    step = (WIDTH - _LEFT - _RIGHT) / max(1, many)

    def x(place: int) -> float:
        return round(_LEFT + (place + 0.5) * step, 1)

    def y(value: float) -> float:
        return round(HEIGHT - _BOTTOM - value / highest * (HEIGHT - _TOP - _BOTTOM), 1)

    lines = []
    for one in series:
        dots = [(x(place), y(value)) for place, value in enumerate(one.values) if value is not None]
        path = " ".join(f"{'L' if number else 'M'}{px} {py}" for number, (px, py) in enumerate(dots))
        lines.append(Line(one.name, one.label, path, dots))
    columns = [
        Column(round(_LEFT + place * step, 1), round(step, 1), says[place], hrefs[place])
        for place in range(many)
    ]
    ticks = [(y(highest * part), f"{highest * part:g}{unit}") for part in (0, 0.5, 1)]
    shown = range(0, many, 4)
    return Chart(lines, columns, ticks, [(x(place), times[place]) for place in shown])


def _round_up(value: float) -> float:
    """The next number that reads well: 1, 2, 4, 6, 10 times a power of ten; 2 at least, so that its half is whole."""
    if value <= 2:
        return 2.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(factor * power for factor in (1, 2, 4, 6, 10) if factor * power >= value)
