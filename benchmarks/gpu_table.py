"""Put the figures of ``benchmarks/gpu.py`` into the docs: ``python benchmarks/gpu_table.py out/gpu.json``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from marked_page import page_with

PAGE = Path(__file__).resolve().parent.parent / "docs" / "speed.md"
MARKS = ("<!-- gpu: written by benchmarks/gpu_table.py -->", "<!-- end of gpu -->")

_WAYS = {
    "plain": "`generate`, plain",
    "capture": "`generate` with the states captured",
    "output_hidden_states": "`generate` with `output_hidden_states=True`",
}


def table(report: dict[str, Any]) -> str:
    """Return a report as Markdown."""
    machine, models = report["machine"], report["models"]
    where = f"{machine['device']} ({machine['copy bandwidth'] / 1e9:,.0f} GB/s when it copies its own memory)"
    versions = f"torch {machine['torch']}, transformers {machine['transformers']}"
    told = f"Measured on {machine['date']} on {where}, {versions}; random weights. Medians; peaks are above the model."
    names = [f"{name}, {one['dtype'].removeprefix('torch.')}" for name, one in models.items()]
    lines = [told, "", f"| what | {' | '.join(names)} |", f"|---|{'--:|' * len(names)}"]
    rows: list[tuple[str, list[str]]] = []
    for way, told in _WAYS.items():
        rows.append((told, [_run(one.get("generate"), way) for one in models.values()]))
    for section in ("maps", "maps of a large picture"):
        found = [one.get(section) for one in models.values()]
        sizes = {(one["cells"], one["tokens"]) for one in found if one}
        of = " / ".join(f"{cells:,} cells × {tokens:,} tokens" for cells, tokens in sorted(sizes)) or section
        rows.append((f"all maps, {of}", [_run(one, "all maps") for one in found]))
        rows.append(("… share of the bandwidth", [_share(one) for one in found]))
        rows.append((f"one hover, {of}", [_run(one, "one hover") for one in found]))
    rows += [
        (f"largest difference from the CPU's maps, {dtype}", [_difference(one, dtype) for one in models.values()])
        for dtype in ("float32", "bfloat16")
    ]
    lines += [f"| {what} | {' | '.join(cells)} |" for what, cells in rows]
    if report["left out"]:
        lines += ["", f"Left out for want of time: {'; '.join(report['left out'])}."]
    return "\n".join(lines)


def _run(section: dict[str, Any] | None, way: str) -> str:
    if section is None:
        return "–"
    one = section["ways"][way]
    took = f"{one['median']:.2f} s" if one["median"] >= 1 else f"{one['median'] * 1e3:.2f} ms"
    ratio = f", {one['ratio']:.3f} ×" if way in _WAYS and way != "plain" else ""
    return f"{took}{ratio}" + (f", {one['peak']:,.0f} MiB" if one["peak"] is not None else "")


def _share(section: dict[str, Any] | None) -> str:
    return "–" if section is None else f"{section['share of bandwidth']:.1%}"


def _difference(model: dict[str, Any], dtype: str) -> str:
    if "agreement" not in model:
        return "–"
    one = model["agreement"][dtype]
    return f"{one['largest difference']:.1e} ({'within' if one['held'] else 'beyond'} {one['allowed']:.1e})"


def main() -> None:
    """Write the page."""
    report = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    PAGE.write_text(page_with(table(report), PAGE.read_text(encoding="utf-8"), MARKS), encoding="utf-8")


if __name__ == "__main__":
    main()
