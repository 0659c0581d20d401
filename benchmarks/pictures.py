"""The pictures of docs/performance.md, drawn from the results as plain SVG: no library, and a diff that can be read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 760, 300, 70, 46, 34
_COLOURS = ("#2f6f9f", "#c2571a", "#4d8b31", "#8a4f9e", "#777777", "#b3261e")
_HEAD = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {{height}}" font-family="sans-serif" '
    'font-size="12" role="img"><title>{title}</title><rect width="100%" height="100%" fill="#ffffff"/>'
)


def pictures(results: dict[str, Any]) -> dict[str, str]:
    """File names and their pictures, of what was measured."""
    found: dict[str, str] = {}
    if timeline := _data(results, "makespan").get("timeline"):
        found["slots.svg"] = slots(timeline)
    if rounds := _data(results, "latency").get("milliseconds"):
        series = {name: sorted(value for one in values for value in one) for name, values in rounds.items()}
        found["latency.svg"] = distribution("Blocker settled to dependant's agent started", series)
    if sizes := _data(results, "planning").get("rounds"):
        found["planning.svg"] = planning(sizes)
    return found


def _data(results: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = results.get(name, {}).get("data", {})
    return found


def slots(bars: Sequence[dict[str, Any]]) -> str:
    """A lane a slot, a bar an attempt."""
    end = max(bar["to"] for bar in bars)
    lanes, high = max(bar["slot"] for bar in bars), 30
    parts = [_text(LEFT, 20, "Five slots over time: a bar is an attempt, white is a free slot", size=14)]
    counts = [0] * lanes
    for bar in sorted(bars, key=lambda bar: float(bar["from"])):
        counts[bar["slot"] - 1] += 1
        x, width = _across(bar["from"], end), _across(bar["to"], end) - _across(bar["from"], end)
        y = TOP + (bar["slot"] - 1) * (high + 6)
        colour = _COLOURS[counts[bar["slot"] - 1] % 2]
        parts.append(f'<rect x="{x:.1f}" y="{y}" width="{max(0.5, width):.1f}" height="{high}" fill="{colour}"/>')
    parts += [_text(12, TOP + at * (high + 6) + 20, f"slot {at + 1}") for at in range(lanes)]
    bottom = TOP + lanes * (high + 6)
    parts += _ticks(end, bottom, " s")
    return _whole("Slots over time", parts, bottom + 30)


def distribution(title: str, series: dict[str, list[float]]) -> str:
    """For each series which share of the values lies below: the more to the left, the better."""
    most = max(values[min(len(values) - 1, int(0.995 * len(values)))] for values in series.values()) * 1.05
    parts = [_text(LEFT, 20, f"{title}: share of the tasks by milliseconds", size=14), *_frame()]
    for at, (name, values) in enumerate(series.items()):
        points = [(value, (place + 1) / len(values)) for place, value in enumerate(values) if value <= most]
        parts.append(_line([(_across(x, most), _up(y)) for x, y in points], at))
        parts.append(_text(WIDTH - 130, HEIGHT - BOTTOM - 60 + 18 * at, name, colour=_COLOURS[at]))
    parts += [_text(LEFT - 40, _up(share) + 4, f"{share:.0%}") for share in (0.0, 0.5, 0.9, 1.0)]
    return _whole(title, [*parts, *_ticks(most, HEIGHT - BOTTOM, " ms")], HEIGHT)


def planning(sizes: dict[str, list[dict[str, Any]]]) -> str:
    """Seconds by the size of the plan, both by powers of ten; the dotted line is strictly linear."""
    middle = {int(size): sorted(one["planned"] for one in found)[len(found) // 2] for size, found in sizes.items()}
    low, high = math.log10(min(middle)), math.log10(max(middle))
    floor, roof = math.floor(math.log10(min(middle.values()))), math.ceil(math.log10(max(middle.values())))

    def place(size: float, seconds: float) -> tuple[float, float]:
        x = LEFT + (math.log10(size) - low) / max(1e-9, high - low) * (WIDTH - LEFT - 40)
        return x, _up((math.log10(seconds) - floor) / max(1, roof - floor))

    first = min(middle)
    linear = [place(size, middle[first] * size / first) for size in middle]
    parts = [_text(LEFT, 20, "Planning: seconds by tasks (dotted: strictly linear)", size=14), *_frame()]
    parts += [_line(linear, 4, dotted=True), _line([place(*one) for one in middle.items()], 0)]
    for size, seconds in middle.items():
        x, y = place(size, seconds)
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{_COLOURS[0]}"/>']
        parts += [_text(x - 14, y - 10, f"{seconds:.2g} s"), _text(x - 24, HEIGHT - BOTTOM + 18, f"{size:,}")]
    return _whole("Planning", parts, HEIGHT)


def _across(value: float, most: float) -> float:
    return LEFT + value / most * (WIDTH - LEFT - 20)


def _up(share: float) -> float:
    return TOP + (1 - share) * (HEIGHT - TOP - BOTTOM)


def _ticks(most: float, y: float, unit: str) -> list[str]:
    step = 10 ** math.floor(math.log10(most))
    step = step / 5 if most / step < 2 else step / 2 if most / step < 5 else step
    count = int(most / step)
    return [_text(_across(at * step, most) - 8, y + 18, f"{at * step:g}{unit}") for at in range(count + 1)]


def _frame() -> list[str]:
    return [f'<path d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - 20}" fill="none" stroke="#999999"/>']


def _line(points: Sequence[tuple[float, float]], colour: int, *, dotted: bool = False) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dash = ' stroke-dasharray="4 4"' if dotted else ""
    return f'<polyline points="{path}" fill="none" stroke="{_COLOURS[colour]}" stroke-width="2"{dash}/>'


def _text(x: float, y: float, text: str, *, size: int = 12, colour: str = "#222222") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}">{escape(text)}</text>'


def _whole(title: str, parts: Iterable[str], height: float) -> str:
    return "\n".join([_HEAD.format(height=height, title=escape(title)), *parts, "</svg>"]) + "\n"
