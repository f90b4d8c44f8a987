"""An audit that audited nothing, or not everything, does not read as a pass."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
AUDIT = ROOT / ".ci" / "audit"
pytestmark = pytest.mark.skipif(os.name == "nt" or not AUDIT.exists(), reason="a sdist has no .ci; stand-ins need sh")

FLAW = {"id": "PYSEC-2026-1", "fix_versions": ["2.1"], "aliases": [], "description": ""}
WELL = {"name": "one", "version": "1.0", "vulns": []}
FLAWED = {"name": "two", "version": "2.0", "vulns": [FLAW]}
SKIPPED = {"name": "three", "skip_reason": "Dependency not found and could not be audited: three (3.0)"}
NPM_WELL = {"vulnerabilities": {}, "metadata": {"dependencies": {"total": 120}}}
NPM_FLAWED = {**NPM_WELL, "vulnerabilities": {"left": {"severity": "high", "range": "<2"}}}
NPM_REFUSED = {"message": "405 Method Not Allowed", "statusCode": 405}


@pytest.fixture
def audit(tmp_path):
    """Run the audit with stand-ins for both commands: what each prints, and its exit code."""

    def run(pip, npm):
        for name, answer in (("pip-audit", pip), ("npm", npm)):
            if answer is not None:
                text, code = answer
                said = text if isinstance(text, str) else json.dumps(text)
                command = tmp_path / name
                command.write_text(f"#!/bin/sh\nprintf '%s' {shlex.quote(said)}\nexit {code}\n")
                command.chmod(0o755)
        found = subprocess.run(
            [sys.executable, AUDIT], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
        )
        assert found.stderr == ""
        return found.returncode, found.stdout

    return run


def pip(*packages):
    return {"dependencies": list(packages), "fixes": []}, int(FLAWED in packages)


def test_all_audited_and_well(audit):
    code, said = audit(pip(WELL), (NPM_WELL, 0))
    assert code == 0
    assert "pip-audit: 1 packages audited, 0 known flaws" in said
    assert "npm audit: 120 packages audited, 0 known flaws" in said
    assert "NOT" not in said


@pytest.mark.parametrize(
    ("first", "second", "named"),
    [
        (pip(WELL, FLAWED), (NPM_WELL, 0), "VULNERABLE two 2.0: PYSEC-2026-1, fixed in 2.1"),
        (pip(WELL), (NPM_FLAWED, 1), "VULNERABLE left: high, <2"),
        (pip(FLAWED, SKIPPED), (NPM_REFUSED, 1), "VULNERABLE two 2.0"),
    ],
)
def test_a_known_flaw_fails(audit, first, second, named):
    code, said = audit(first, second)
    assert code == 1
    assert named in said


@pytest.mark.parametrize(
    ("first", "second", "named"),
    [
        # What pip-audit prints, and that it ends with 0, where it can look up nothing.
        (pip(SKIPPED), (NPM_WELL, 0), "pip-audit AUDITED NOTHING"),
        (pip(WELL, SKIPPED), (NPM_WELL, 0), "NOT AUDITED three: Dependency not found"),
        (pip(), (NPM_WELL, 0), "pip-audit AUDITED NOTHING"),
        (("", 1), (NPM_WELL, 0), "pip-audit AUDITED NOTHING"),
        (("No known vulnerabilities found", 0), (NPM_WELL, 0), "pip-audit AUDITED NOTHING"),
        (None, (NPM_WELL, 0), "NOT AUDITED [Errno 2] No such file or directory: 'pip-audit'"),
        (pip(WELL), (NPM_REFUSED, 1), "NOT AUDITED 405 Method Not Allowed"),
        (pip(WELL), ("[]", 0), "npm audit AUDITED NOTHING"),
        (pip(WELL), ("", 0), "npm audit AUDITED NOTHING"),
        (pip(WELL), ({"vulnerabilities": {}, "metadata": {"dependencies": {"total": 0}}}, 0), "AUDITED NOTHING"),
        (pip(WELL), None, "NOT AUDITED [Errno 2] No such file or directory: 'npm'"),
    ],
)
def test_what_was_not_audited_is_no_pass(audit, first, second, named):
    code, said = audit(first, second)
    assert code == 3
    assert named in said


def test_the_workflows_run_the_scripts():
    for name, script in (("audit", ".ci/audit"), ("test", ".ci/run")):
        workflow = yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text())
        (job,) = workflow["jobs"].values()
        assert job["steps"][-1]["run"] == script
        assert os.access(ROOT / script, os.X_OK)
    assert workflow.keys() >= {"name", "jobs", "permissions"}
    audited = yaml.safe_load((ROOT / ".github" / "workflows" / "audit.yml").read_text())
    assert audited[True]["schedule"]  # YAML reads the key "on" as yes
