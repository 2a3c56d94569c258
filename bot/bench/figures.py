"""Figures: percentiles, whether a bar was met, and how busy the machine was."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Sequence
from typing import Any

Progress = Callable[[str], None]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that ``share`` of all values do not exceed (nearest rank)."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    rank = -(-len(ordered) * share // 1)
    return ordered[max(0, int(rank) - 1)]


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return count, median, 95th, 99th percentile and the largest of milliseconds."""
    return {
        "count": len(values),
        "p50_ms": round(percentile(values, 0.50), 2),
        "p95_ms": round(percentile(values, 0.95), 2),
        "p99_ms": round(percentile(values, 0.99), 2),
        "max_ms": round(max(values), 2),
    }


def machine() -> dict[str, Any]:
    """Return what was measured on, and how busy it was (load average of one minute)."""
    load = os.getloadavg()[0]
    cores = os.cpu_count() or 1
    return {
        "python": platform.python_version(),
        "cores": cores,
        "load": round(load, 2),
        "noisy": load > cores * 0.5,
    }
