"""Data sets for the tests of runs, in a module of their own so that workers can import them too."""

import os
import signal
from pathlib import Path

from tam_widget.evaluation import Dataset, demo_scenes

CHEAP = ("tam", "cam")


def load_demo_on_one_thread():
    """More threads may add numbers in another order, and rows are compared to the last bit."""
    import torch

    import tam_widget as tam

    torch.set_num_threads(1)
    return tam.load_demo()


class Scenes(Dataset):
    """Demo scenes; when one of them is asked for, something may happen first."""

    def __init__(self, count, at=None):
        self.name = "scenes of a test"
        self.at = at
        self._scenes = demo_scenes(count)

    def __len__(self):
        return len(self._scenes)

    def sample(self, index):
        if index == self.at:
            self.happen()
        return self._scenes[index]

    def happen(self):
        raise NotImplementedError


class Stopped(Scenes):
    """A user presses Ctrl-C at one sample."""

    def happen(self):
        raise KeyboardInterrupt


class Broken(Scenes):
    """One sample cannot be read."""

    def happen(self):
        raise OSError("cannot read\nthe | picture")


class Deadly(Scenes):
    """The process that first asks for one sample is killed, as a machine that goes away would be."""

    def __init__(self, count, at, sentinel):
        super().__init__(count, at)
        self.sentinel = str(sentinel)

    def happen(self):
        if not Path(self.sentinel).exists():
            Path(self.sentinel).write_text(str(os.getpid()))
            os.kill(os.getpid(), signal.SIGKILL)
