"""The command line: what it runs, what it says, and with which code it ends."""

import subprocess
import sys

import pytest

import tam_widget as tam
from tam_widget import cli
from tam_widget.evaluation import open_run
from tam_widget.evaluation.runs import runner


def failing(error):
    def fail(*args, **kwargs):
        raise error

    return fail


def test_eval_makes_a_run_and_a_report_and_report_makes_it_again(tmp_path, capsys):
    out = tmp_path / "out"
    command = ["eval", "--model", "demo", "--data", "demo:4", "--methods", "tam,cam", "--samples", "2"]
    command += ["--max-new-tokens", "40", "--matching", "released", "--seed", "3", "-o", str(out)]
    assert cli.main(command) == 0
    said = capsys.readouterr().out.splitlines()
    run = open_run(out)
    assert len(list(run.rows())) == 2
    settings = run.manifest["settings"]
    assert settings["methods"] == ["tam", "cam"]
    assert (settings["max_new_tokens"], settings["matching"], settings["seed"]) == (40, "released", 3)
    assert said[0].startswith(f"tam                    F1-IoU {run.summary()['tam'].f1_iou:.3f}   Obj-IoU 0.")
    assert said[-1] == str(out / "report.html")
    (out / "report.html").unlink()
    assert cli.main(["report", str(out)]) == 0
    assert (out / "report.html").is_file()
    assert cli.main(command) == 0  # it goes on, and there is nothing left to do
    assert len(open_run(out).manifest["sessions"]) == 1
    capsys.readouterr()
    assert cli.main([*command, "--steps", "3"]) == 2
    assert "settings.steps is 3, there 8" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["eval", "--model", "demo", "--data", "demos:3", "--out", "x"], "a data set is called demo, demo:500"),
        (["eval", "--model", "demo", "--data", "demo:3", "--methods", "tem", "--out", "x"], "no method 'tem'"),
        (["eval", "--model", "demo:other", "--data", "demo:3", "-o", "x"], "there is no demo model 'other'"),
        (["eval", "--model", "./nowhere", "--data", "demo:3", "--out", "x"], "nowhere"),
        (["report", "nowhere"], "nowhere holds no run"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(tmp_path, monkeypatch, capsys, command, message):
    monkeypatch.chdir(tmp_path)
    assert cli.main(command) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("tam-widget: error: ")
    assert message in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--samples", "0"], "must be a whole number of at least 1, not '0'"),
        (["--faithfulness", "-1"], "at least 0"),
        (["--workers", "two"], "not 'two'"),
        (["--matching", "fuzzy"], "invalid choice"),
    ],
)
def test_numbers_out_of_range_are_refused(capsys, given, message):
    with pytest.raises(SystemExit) as ended:
        cli.main(["eval", "--model", "demo", "--data", "demo:3", "--out", "x", *given])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_a_command_is_needed(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main([])
    assert ended.value.code == 2
    assert "COMMAND" in capsys.readouterr().err


def test_workers_run_on_ray(tmp_path, monkeypatch):
    from tam_widget.evaluation.runs import ray_runner

    given = {}

    def stand_in(load, dataset, **settings):
        given.update(settings, load=load, dataset=dataset)
        raise tam.MissingDependencyError("no ray")

    monkeypatch.setattr(ray_runner, "evaluate_on_ray", stand_in)
    assert cli.main(["eval", "--model", "demo", "--data", "demo:3", "--workers", "2", "--out", str(tmp_path)]) == 2
    assert (given["load"], given["workers"], len(given["dataset"])) == ("demo", 2, 3)
    assert given["methods"] == runner.METHODS


def test_ctrl_c_says_how_to_go_on(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(runner, "evaluate", failing(KeyboardInterrupt()))
    assert cli.main(["eval", "--model", "demo", "--data", "demo:3", "--out", str(tmp_path)]) == 130
    assert "the same command goes on" in capsys.readouterr().err


def test_a_run_in_which_all_fails_ends_with_an_error(monkeypatch, tmp_path, capsys):
    from tam_widget.evaluation.data import datasets

    monkeypatch.setattr(datasets._DemoScenes, "sample", failing(OSError("gone")))
    assert cli.main(["eval", "--model", "demo", "--data", "demo:2", "--out", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert "sample 1 (None) failed: OSError: gone" in said
    assert "2 samples failed" in said


def test_help_names_what_there_is_and_needs_no_torch():
    def said(*arguments):
        run = subprocess.run(
            [sys.executable, "-m", "tam_widget.cli", *arguments], capture_output=True, text=True, check=False
        )
        return run.returncode, run.stdout

    code, text = said("--help")
    assert code == 0
    assert "tam-widget report runs/demo" in text
    code, text = said("eval", "--help")
    assert code == 0
    for option in ("--model", "--data", "--methods", "--faithfulness", "--workers", "--max-new-tokens"):
        assert option in text
    assert said("--version") == (0, f"tam-widget {tam.__version__}\n")
    code = "import sys; from tam_widget import cli; cli._parser(); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
