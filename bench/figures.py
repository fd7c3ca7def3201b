"""How a figure is printed, and small statistics."""

import json


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` (0 to 1) of `values` lie."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def report(name: str, value: float, unit: str, reference: str, reference_value: float) -> None:
    """Print one JSON line; `ratio` is value over reference."""
    ratio = value / reference_value if reference_value else None
    line = {
        "name": name,
        "value": round(value, 4),
        "unit": unit,
        "reference": reference,
        "reference_value": round(reference_value, 4),
        "ratio": round(ratio, 4) if ratio is not None else None,
    }
    print(json.dumps(line), flush=True)
