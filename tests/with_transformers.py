"""Run Python with another transformers: ``python tests/with_transformers.py 5.20.0 -m pytest tests/models``.

It gets a virtual environment of its own, which sees all that is installed beside it and keeps what differs: the wanted
version (``newest``: the newest there is) and what that needs in another version. The first time takes a minute.
"""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path


def main(wanted, *command):
    """Make the environment, install into it, and become its Python."""
    folder = Path(sys.prefix) / f"transformers-{wanted}"
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    seen = (sysconfig.get_path("purelib"), Path(sys.prefix) / "torchvision")
    packages = subprocess.check_output(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
    ).strip()
    lines = "".join(f"import site; site.addsitedir({str(path)!r})\n" for path in seen)
    (Path(packages) / "beside.pth").write_text(lines, encoding="utf-8")
    package = ["--upgrade", "transformers"] if wanted == "newest" else [f"transformers=={wanted}"]
    subprocess.check_call([python, "-m", "pip", "install", "--quiet", *package])
    os.execv(python, [python, *command])  # noqa: S606 - the command is the caller's


if __name__ == "__main__":
    main(*sys.argv[1:])
