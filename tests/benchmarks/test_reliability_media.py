"""The rows about pictures and videos hold; here with a fiftieth of the counts and a shorter time limit."""

import pytest

from reliability import media
from tam_widget.media import pictures, sources


@pytest.fixture(autouse=True)
def _small_limits(monkeypatch):
    monkeypatch.setattr(pictures, "DEADLINE_S", 1.0)
    monkeypatch.setattr(sources, "MOST_BYTES", 2**21)


def test_servers_that_stall_are_given_up():
    row = media.stalling_servers(1)
    assert row["held"], row


def test_damaged_files_are_read_or_refused():
    for row in media.damaged_files(20):
        assert row["times"] == sum(row["happened"].values()) == 20
        assert row["held"], row


def test_what_is_no_regular_file_is_refused():
    row = media.no_files()
    assert row["held"], row


def test_an_error_of_another_kind_would_show():
    def broken(given):
        raise OSError(given)

    assert media.outcome(broken, "x") == "raised OSError"
