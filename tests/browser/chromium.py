"""A Chromium for the browser tests: the machine's own, else playwright's, else Debian's. Run it to get one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Without these Chromium looks up hosts of its own at every start, and a closed network makes it wait for each.
QUIET = ("gpu", "quic", "background-networking", "component-update", "sync")
ARGUMENTS = ["--no-sandbox", "--no-first-run", *(f"--disable-{name}" for name in QUIET)]


def on_path() -> str | None:
    """Return the path of the machine's own browser."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def starts() -> bool:
    """Tell whether there is a browser that playwright can start."""
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright:
        try:
            playwright.chromium.launch(executable_path=on_path(), args=ARGUMENTS).close()
        except Error as error:
            print(f"{on_path() or 'playwright has no browser that'} does not start: {str(error).splitlines()[0]}")
            return False
    return True


def install() -> None:
    """Get a browser where there is none: through playwright, else through apt where we are root."""
    ways = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if shutil.which("apt-get") and os.geteuid() == 0:
        ways.append(["sh", "-c", "apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium"])
    for way in ways:
        print("getting Chromium:", " ".join(way), flush=True)
        if subprocess.run(way, check=False).returncode == 0 and starts():
            return
    sys.exit("no Chromium for the browser tests: install chromium or google-chrome and run this again")


if __name__ == "__main__":
    if not starts():
        install()
