"""The weekly run with the newest transformers: it fails where the tests do, and opens one issue that says so."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / ".ci" / "families"
pytestmark = pytest.mark.skipif(os.name == "nt" or not SCRIPT.exists(), reason="a sdist has no .ci; stand-ins need sh")

NOTES = 'printf "%s\\n" "$@" >> "$CALLS"\n'


@pytest.fixture
def run(tmp_path):
    """Run the script with stand-ins for make and gh; return its exit code, what it said and what gh was asked."""

    def run(make, gh="echo 0"):
        calls = tmp_path / "calls"
        for name, does in (("make", make), ("gh", f"{NOTES}{gh}")):
            (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n")
            (tmp_path / name).chmod(0o755)
        environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "CALLS": str(calls), "TMPDIR": str(tmp_path)}
        environment |= {"GITHUB_SERVER_URL": "https://hub", "GITHUB_REPOSITORY": "us/ours", "GITHUB_RUN_ID": "7"}
        found = subprocess.run([SCRIPT], env=environment, capture_output=True, text=True, check=False)
        left = {path.name for path in tmp_path.iterdir()} - {"make", "gh", "calls"}
        assert left == set()
        return found.returncode, found.stdout, calls.read_text() if calls.exists() else ""

    return run


def test_where_all_is_well_nobody_is_told(run):
    code, said, asked = run('echo "ran $*"')
    assert (code, asked) == (0, "")
    assert "ran families TRANSFORMERS=newest" in said


def test_where_the_tests_fail_an_issue_says_so(run):
    code, said, asked = run("echo FAILED test_families.py; exit 2")
    assert code == 1
    assert "FAILED test_families.py" in said
    assert "issue\nlist\n--state\nopen\n" in asked
    assert "issue\ncreate\n--title\nThe newest transformers fails the tests of the families\n" in asked
    assert "FAILED test_families.py\n```\nhttps://hub/us/ours/actions/runs/7" in asked


@pytest.mark.parametrize("gh", ["echo 1", "exit 4"], ids=["an issue is open", "gh cannot be asked"])
def test_no_second_issue_is_opened(run, gh):
    code, _, asked = run("exit 2", gh)
    assert code == 1
    assert "list" in asked
    assert "create" not in asked


def test_the_workflow_runs_the_script():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "families.yml").read_text())
    (job,) = workflow["jobs"].values()
    assert job["steps"][-1]["run"] == ".ci/families"
    assert workflow["permissions"] == {"contents": "read", "issues": "write"}
    assert workflow[True]["schedule"]  # YAML reads the key "on" as yes
    assert os.access(SCRIPT, os.X_OK)
