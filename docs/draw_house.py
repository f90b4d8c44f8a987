"""Draw the two houses of CONTRIBUTING.md from the imports and the tables of floors: ``make house``."""

from __future__ import annotations

from pathlib import Path

from house.floors import CHOSEN
from house.picture import drawn

HERE = Path(__file__).resolve().parent


def pictures() -> dict[str, str]:
    """Return the pictures by the names of their files."""
    return {
        "house.svg": drawn(HERE.parent / "tam_widget", "tam_widget/", CHOSEN),
        "house-page.svg": drawn(HERE.parent / "js" / "src", "js/src/"),
    }


def main() -> None:
    """Write the pictures beside this file."""
    for name, picture in pictures().items():
        (HERE / name).write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
