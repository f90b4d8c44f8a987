"""The command line: evaluate a model, and write a run's report."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tam_widget import __version__
from tam_widget.errors import TAMError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tam_widget.evaluation.runs.run import Run

__all__ = ["main"]

_FAILED, _MISUSED, _INTERRUPTED = 1, 2, 130

_EXAMPLES = """\
examples:
  tam-widget eval --model demo --data demo:100 --out runs/demo
  tam-widget eval --model Qwen/Qwen2-VL-2B-Instruct --data coco:/data/coco --methods tam,cam,attention --out runs/qwen
  tam-widget eval --model demo --data demo:100 --faithfulness 20 --workers 2 --out runs/faithful
  tam-widget report runs/demo

A run that was stopped goes on where it was when the same command is given again.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process when left out.

    Returns
    -------
    int
        0; 1 where every sample failed; 2 where something given cannot be used, told in one line; 130 after Ctrl-C.
    """
    given = _parser().parse_args(arguments)
    try:
        return int(given.run(given))
    except (TAMError, OSError) as error:  # transformers raises OSError for a model that is not there
        print(f"tam-widget: error: {' '.join(str(error).split())}", file=sys.stderr)  # noqa: T201 - a command's answer
        return _MISUSED
    except KeyboardInterrupt:
        print("\ntam-widget: stopped; the same command goes on", file=sys.stderr)  # noqa: T201 - a command's answer
        return _INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tam-widget",
        description="Measure how well maps of words fit what the words speak of.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"tam-widget {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_eval(commands.add_parser("eval", help="evaluate a model on a data set", description=_evaluate.__doc__))
    report = commands.add_parser("report", help="write a run's report again", description=_report.__doc__)
    report.add_argument("out", type=Path, metavar="DIR", help="the run's folder")
    report.set_defaults(run=_report)
    return parser


def _add_eval(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", required=True, help="demo, demo:llava (another demo), a name on the Hugging Face hub, or a folder"
    )
    parser.add_argument(
        "--data",
        required=True,
        help="demo:N (N scenes of the demo), demo:overlap:N (of a kind), coco:/path, grandf:/path, openpsg:/path, "
        "folder:/path",
    )
    parser.add_argument("-o", "--out", required=True, type=Path, metavar="DIR", help="the run's folder")
    parser.add_argument(
        "--methods",
        type=_names,
        metavar="A,B,…",
        help="methods to compare, the others with the first (default: tam,causal,filter,cam and the floors "
        "uniform,random,centre)",
    )
    parser.add_argument("--samples", type=_positive, metavar="N", help="so many, from the first (default: all)")
    parser.add_argument(
        "--faithfulness", type=_natural, default=0, metavar="N", help="measure deletion and insertion on the first N"
    )
    parser.add_argument("--steps", type=_positive, default=8, metavar="K", help="in K steps each (default: 8)")
    parser.add_argument(
        "--max-new-tokens", type=_positive, default=128, metavar="N", help="longest answer (default: 128)"
    )
    parser.add_argument(
        "--matching",
        choices=("exact", "released"),
        default="exact",
        help="how words are matched with categories; 'released' is comparable with published figures (default: exact)",
    )
    parser.add_argument("--seed", type=_natural, default=0, metavar="N", help="of all that is random (default: 0)")
    parser.add_argument(
        "--workers", type=_positive, metavar="N", help="share the work among N processes of Ray, each with a model"
    )
    parser.set_defaults(run=_evaluate)


def _evaluate(given: argparse.Namespace) -> int:
    """Evaluate a model on a data set and write a report; a run that was stopped goes on."""
    from tam_widget.evaluation.data.datasets import open_dataset
    from tam_widget.evaluation.runs.ray_runner import evaluate_on_ray, load_pair
    from tam_widget.evaluation.runs.runner import METHODS, evaluate

    settings: dict[str, Any] = {
        "out": given.out,
        "methods": METHODS if given.methods is None else given.methods,
        "samples": given.samples,
        "faithfulness": given.faithfulness,
        "steps": given.steps,
        "max_new_tokens": given.max_new_tokens,
        "matching": given.matching,
        "seed": given.seed,
    }
    dataset = open_dataset(given.data)
    if given.workers is None:
        run = evaluate(*load_pair(given.model), dataset, **settings)
    else:
        run = evaluate_on_ray(given.model, dataset, workers=given.workers, **settings)
    return _finish(run)


def _report(given: argparse.Namespace) -> int:
    """Write the report of a run, finished or not, from its rows."""
    from tam_widget.evaluation.runs.run import open_run

    return _finish(open_run(given.out))


def _finish(run: Run) -> int:
    """Write the report, say what it says in short, and return the exit code."""
    page = run.report()
    failures = run.failures()
    for method, found in run.summary().items():
        figures = [
            f"{name} {'–' if value is None else format(value, '.3f')}"
            for name, value in (
                ("F1-IoU", found.f1_iou),
                ("Obj-IoU", found.object_iou),
                ("Func-IoU", found.function_iou),
            )
        ]
        print(f"{method:<22} {'   '.join(figures)}")  # noqa: T201 - a command's answer
    for index, sample, error in failures[:5]:
        print(f"sample {index} ({sample}) failed: {error}", file=sys.stderr)  # noqa: T201 - a command's answer
    if failures:
        print(f"{len(failures)} samples failed", file=sys.stderr)  # noqa: T201 - a command's answer
    print(page)  # noqa: T201 - a command's answer
    return _FAILED if failures and not any(row["words"] for row in run.rows()) else 0


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _positive(text: str) -> int:
    return _whole(text, 1)


def _natural(text: str) -> int:
    return _whole(text, 0)


def _whole(text: str, least: int) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < least:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least {least}, not {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
