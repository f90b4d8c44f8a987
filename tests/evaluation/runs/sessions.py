"""Sessions of a run that need no model: its rows are made by hand."""

import sys

from made_runs import followed, function, noun, row

from tam_widget.evaluation import Dataset
from tam_widget.evaluation.runs.judging import Settings
from tam_widget.evaluation.runs.run import Run
from tam_widget.evaluation.runs.runner import Session

SETTINGS = Settings(("tam", "cam"))
MODEL = {"name": "made-up", "class": "Model", "weights": "0123abcd"}


class Nothing(Dataset):
    """A data set of which only the size is asked."""

    name = "made up"

    def __init__(self, count):
        self._count = count

    def __len__(self):
        return self._count

    def sample(self, index):
        raise AssertionError("a row is there for it")


def row_of(index):
    words = [noun("tam", 1, "Dog", 0.5 + index / 100), function("cam", 0, "a", 0.25)]
    return row(index, words, [followed("tam", "Dog", 0.1, 0.9)], regions=[])


def go_on(folder, count=4, settings=SETTINGS, *, before=lambda index: None):
    """Write the first rows as far as they are missing, as `evaluate` does, and return the run and their indices."""
    with Session(folder, Nothing(9), settings, count, progress=False) as session:
        session.learn_model(MODEL)
        for index in session.todo:
            before(index)
            session.keep(index, row_of(index))
    return Run(folder), session.todo


if __name__ == "__main__":  # a process that says when it holds the folder, and then waits for its end

    def wait(index):
        print(index, flush=True)  # noqa: T201 - what the other process reads
        sys.stdin.read()

    go_on(sys.argv[1], before=wait)
