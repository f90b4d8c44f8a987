"""Run every reliability benchmark and put its rows into the docs: ``python benchmarks/reliability_table.py``.

An hour or more at full counts; ``--share 0.1`` does a tenth of each, and the table says how often each thing was tried.
``--only hostile`` runs one script and leaves the other scripts' rows as they are.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from marked_page import page_with

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reliability.md"
ROWS = ROOT / "docs" / "reliability.json"
SCRIPTS = ("lifetime", "reruns", "hostile", "disks", "media")
MARKS = ("<!-- rows: written by benchmarks/reliability_table.py -->", "<!-- end of rows -->")


def rows_of(script: str, share: float) -> list[dict[str, Any]]:
    """Run one script and return its rows."""
    command = [sys.executable, f"benchmarks/reliability/{script}.py", "--share", str(share)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def table(rows: dict[str, list[dict[str, Any]]]) -> str:
    """Return rows as Markdown, those of one script together."""
    lines = ["| what was tried | how often | what happened | by |", "|---|--:|---|---|"]
    for script, found in rows.items():
        lines += [f"| {row['tried']} | {row['times']:,} | {_told(row['happened'])} | `{script}.py` |" for row in found]
    return "\n".join(lines)


def _told(happened: Any) -> str:
    """Return what happened in words: names with their numbers, or what the script says."""
    if isinstance(happened, dict):
        return ", ".join(f"{name}: {_told(value)}" for name, value in happened.items())
    if isinstance(happened, list):
        return ", ".join(map(_told, happened))
    return (
        f"{happened:,}" if isinstance(happened, int | float) else str(happened).replace("\n", " ").replace("|", "\\|")
    )


def main() -> None:
    """Run and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=1.0, help="of the full counts (default 1)")
    parser.add_argument("--only", choices=SCRIPTS, nargs="+", default=SCRIPTS)
    arguments = parser.parse_args()
    rows = json.loads(ROWS.read_text(encoding="utf-8")) if ROWS.exists() else {}
    for script in arguments.only:
        rows[script] = rows_of(script, arguments.share)
        print(f"{script}: {len(rows[script])} rows", flush=True)
    rows = {script: rows[script] for script in SCRIPTS if script in rows}
    ROWS.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.write_text(page_with(table(rows), PAGE.read_text(encoding="utf-8"), MARKS), encoding="utf-8")


if __name__ == "__main__":
    main()
