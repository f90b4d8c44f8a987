"""Addresses: what a server may do, and that no server holds a person up."""

import re
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import tam_widget as tam
from tam_widget.media import fetch, pictures, sources
from tam_widget.media.pictures import as_picture

sys.path.append(str(Path(__file__).parents[3] / "benchmarks"))

from reliability.bad_servers import BAD, GOOD, STALLING, serving
from reliability.damaged_files import picture_files

PNG = picture_files()["PNG"]


@pytest.fixture(scope="module")
def site():
    with serving(PNG) as address:
        yield address


def transfers():
    return [thread for thread in threading.enumerate() if thread.name == "tam_widget fetch"]


@pytest.mark.parametrize("name", GOOD)
def test_good_replies_are_read(site, name):
    for address in (f"{site}/{name}", f"{site.upper()}/{name}", f"  {site}/{name}#part\n"):
        np.testing.assert_array_equal(np.asarray(as_picture(address)), np.asarray(as_picture(PNG)))


@pytest.mark.parametrize("name", BAD)
def test_bad_replies_are_refused_with_the_reason(site, name, monkeypatch):
    monkeypatch.setattr(sources, "MOST_BYTES", 2**21)
    with pytest.raises(tam.PictureError, match=BAD[name][1]) as raised:
        as_picture(f"{site}/{name}")
    assert len(str(raised.value)) < 400


@pytest.mark.parametrize("name", STALLING)
def test_endless_replies_are_given_up_and_leave_no_thread(site, name, monkeypatch):
    monkeypatch.setattr(pictures, "DEADLINE_S", 0.5)
    with pytest.raises(tam.PictureError, match=re.escape("took longer than 0.5 s")):
        as_picture(f"{site}/{name}")
    for thread in transfers():
        thread.join(60)
    assert not transfers()


def test_an_interrupt_ends_the_transfer(site, monkeypatch):
    class Interrupted(threading.Event):
        def wait(self, timeout=None):
            raise KeyboardInterrupt

    class Transfer(fetch._Transfer):
        def __init__(self, *given):
            super().__init__(*given)
            self.done = Interrupted()

    monkeypatch.setattr(fetch, "_Transfer", Transfer)
    with pytest.raises(KeyboardInterrupt):
        as_picture(f"{site}/never answers")
    for thread in transfers():
        thread.join(30)  # before the minute that a stalling server is given
    assert not transfers()
