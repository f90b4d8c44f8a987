"""What is built from the sources has everything in it: the bundle, the model, the types."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEEDED = {
    "tam_widget/py.typed",
    "tam_widget/widget/static/widget.js",
    "tam_widget/demo/MODEL_CARD.md",
    *(
        f"tam_widget/demo/scenery/things/assets/{file}"
        for file in ("NOTICE", "OFL.txt", "drawings.zip", "grounds.zip", "photographs.zip")
    ),
    *(path.relative_to(ROOT).as_posix() for path in (ROOT / "tam_widget").rglob("*.py")),
} | {
    f"tam_widget/demo/models/{model}/{file}"
    for model in ("qwen", "llava", "noisy")
    for file in ("config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja")
}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The sdist made from a copy of the sources, and the wheel made from the sdist, as an index would get them."""
    folder = tmp_path_factory.mktemp("dist")
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    sources = folder / "sources"
    for name in tracked.stdout.splitlines():
        target = sources / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).exists():
            target.write_bytes((ROOT / name).read_bytes())
    # An old bundle must not find its way in.
    stale = sources / "tam_widget" / "widget" / "static" / "old.js"
    stale.parent.mkdir(parents=True)
    stale.write_text("stale")
    # Node may be on the PATH instead of in the wheel that the build requires: not our concern here.
    options = ["--no-isolation", "--skip-dependency-check", "--outdir", str(folder / "out")]
    command = [sys.executable, "-m", "build", *options, str(sources)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "out"


def test_the_wheel_is_whole_and_small(built):
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        assert names >= NEEDED
        # What .gitignore covers by mistake, neither a checkout nor a wheel has.
        assert names >= {path.relative_to(ROOT).as_posix() for path in (ROOT / "tam_widget").rglob("*.py")}
        assert not any(name.endswith("old.js") for name in names)
        assert not any(name.startswith(("js/", "tests/", "notebooks/")) for name in names)
        # A file that only its owner can read is of no use in an environment that all share.
        assert all((info.external_attr >> 16) & 0o044 == 0o044 for info in archive.infolist())
        model = sum(info.compress_size for info in archive.infolist() if "/demo/models/" in info.filename)
    assert model <= 12e6


def test_the_sdist_brings_sources_and_bundle(built):
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert names >= NEEDED
    assert {"js/src/index.ts", "js/build_frontend.py", "package-lock.json", "notebooks/quickstart.ipynb"} <= names


def test_the_bundle_is_small_and_loads_nothing(built):
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        static = [name for name in archive.namelist() if "/static/" in name]
        contents = [archive.read(name) for name in static]
    assert sum(map(len, contents)) <= 80_000
    for content in contents:
        text = content.decode()
        assert "://" not in text.replace("http://www.w3.org/", "")
        assert "import(" not in text
        assert "@import" not in text
