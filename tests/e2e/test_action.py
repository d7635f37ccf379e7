"""action.yml and the README's workflow: their schemas, zizmor's opinion, and the step's script run as runners do."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
import tomli

from tests.e2e.environments import ROOT, checkout, git_repository, make_venv, run, tool
from tools.bounds import RUNNERS, requirements

pytestmark = pytest.mark.e2e

ACTION = ROOT / "action.yml"
CHECKS = ROOT / ".github" / "workflows" / "checks.yml"
CARELESS = {"settings.py": 'MAIL_PASSWORD = "vT9#qLw2!mZx"\n'}


@pytest.fixture
def workflow(tmp_path: Path) -> Path:
    """The README's workflow, with a commit for our own release, which no README can know."""
    readme = (ROOT / "README.md").read_text("utf-8")
    (text,) = [block for block in re.findall(r"^```yaml\n(.*?)^```$", readme, re.M | re.S) if "runs-on:" in block]
    assert text.count("<commit>") == 1
    path = tmp_path / ".github" / "workflows" / "backaudit.yml"
    path.parent.mkdir(parents=True)
    path.write_text(text.replace("<commit>", "0" * 40), "utf-8")
    return path


def test_the_action_follows_the_schema() -> None:
    run([tool("check-jsonschema"), "--builtin-schema", "vendor.github-actions", ACTION])


def test_the_workflow_in_the_readme_follows_the_schema(workflow: Path) -> None:
    run([tool("check-jsonschema"), "--builtin-schema", "vendor.github-workflows", workflow])


def test_gitlabs_template_follows_the_schema() -> None:
    run([tool("check-jsonschema"), "--builtin-schema", "vendor.gitlab-ci", ROOT / "ci" / "gitlab.yml"])


def test_zizmor_has_nothing_to_say_of_the_action() -> None:
    run([tool("zizmor"), "--offline", "--no-config", "--persona", "pedantic", "--no-progress", ACTION])


def test_the_checks_of_the_repository_are_sound_and_try_both_ends_of_the_libraries() -> None:
    run([tool("check-jsonschema"), "--builtin-schema", "vendor.github-workflows", CHECKS])
    run([tool("zizmor"), "--offline", "--no-config", "--persona", "pedantic", "--no-progress", CHECKS])
    text = CHECKS.read_text("utf-8")
    assert "end: [oldest, newest]" in text
    assert "\noldest newest:" in (ROOT / "Makefile").read_text("utf-8")
    classifiers = tomli.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["classifiers"]
    versions = [name.rpartition(" ")[2] for name in classifiers if "Python :: 3." in name]
    assert versions
    assert [version for version in versions if f'"{version}"' not in text] == []


def test_zizmor_has_nothing_to_say_of_the_workflow(workflow: Path) -> None:
    run([tool("zizmor"), "--offline", "--no-config", "--persona", "pedantic", "--no-progress", workflow])


def test_no_input_reaches_a_script_but_through_the_environment() -> None:
    text = ACTION.read_text("utf-8")
    scripts = re.findall(r"^\s+run:(.*(?:\n {8,}.*)*)", text, re.M)
    assert scripts
    assert not any("${{" in script for script in scripts)


def test_the_libraries_it_installs_are_constrained() -> None:
    script = (ROOT / "tools" / "action.sh").read_text("utf-8")
    assert '--constraint "$BACKAUDIT_SOURCE/constraints.txt"' in script
    pinned = {line.partition("==")[0] for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()}
    for requirement in requirements("newest"):
        name, _, bounds = requirement.partition(">=")
        assert name not in RUNNERS or not bounds
        if name not in RUNNERS:
            assert ",<" in bounds, f"{name} has no upper bound"
            assert name in pinned


def test_every_action_it_uses_is_pinned_by_digest() -> None:
    used = re.findall(r"uses:\s*(\S+)", ACTION.read_text("utf-8"))
    assert [name for name in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", name)] == []


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A runner's folder: the action's checkout, and the environment, which finds its dependencies beside us."""
    folder = tmp_path_factory.mktemp("runner")
    checkout(folder / "source")
    make_venv(folder / "backaudit-venv")
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return git_repository(tmp_path / "a project", CARELESS)


def step(runner: Path, project: Path, *, expect: int, **inputs: str) -> str:
    """Run the action's step on a project; what it printed."""
    given = {
        "BACKAUDIT_SOURCE": str(runner / "source"),
        "BACKAUDIT_PATH": ".",
        "BACKAUDIT_ARGS": "",
        "BACKAUDIT_STRICT": "false",
        "BACKAUDIT_FAIL_ON": "low",
        "BACKAUDIT_SARIF": "backaudit.sarif",
        "BACKAUDIT_SINCE": "auto",
        "GITHUB_BASE_REF": "",
        "BACKAUDIT_PYTHON": sys.executable,
        "GITHUB_OUTPUT": str(project.parent / "output"),
        "GITHUB_STEP_SUMMARY": str(project.parent / "summary"),
        "RUNNER_TEMP": str(runner),
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_NO_DEPS": "1",
    }
    return run(["bash", ROOT / "tools" / "action.sh"], cwd=project, env={**given, **inputs}, expect=expect).stdout


def test_the_reports_are_there_before_the_step_fails(runner: Path, project: Path) -> None:
    said = step(runner, project, expect=1)
    assert re.search(r"^::(error|warning|notice) .*file=settings\.py", said, re.M)
    log = json.loads((project / "backaudit.sarif").read_text("utf-8"))
    assert [result["ruleId"] for result in log["runs"][0]["results"]] == ["secrets/hardcoded-secret"]
    assert "secrets/hardcoded-secret" in (project.parent / "summary").read_text("utf-8")
    output = (project.parent / "output").read_text("utf-8")
    assert output.splitlines() == ["sarif-file=backaudit.sarif", "exit-code=1"]


def test_fail_on_never_and_arguments_one_per_line(runner: Path, project: Path) -> None:
    step(runner, project, expect=0, BACKAUDIT_FAIL_ON="never")
    step(runner, project, expect=0, BACKAUDIT_ARGS="--ignore\nsecrets\n", BACKAUDIT_STRICT="true")
    assert json.loads((project / "backaudit.sarif").read_text("utf-8"))["runs"][0]["results"] == []


@pytest.mark.parametrize("evil", ["$(touch pwned)", "; touch pwned", "--output=../pwned"])
@pytest.mark.parametrize("name", ["BACKAUDIT_PATH", "BACKAUDIT_STRICT", "BACKAUDIT_FAIL_ON", "BACKAUDIT_SINCE"])
def test_an_input_is_never_a_command(runner: Path, project: Path, name: str, evil: str) -> None:
    step(runner, project, expect=2, **{name: evil})
    assert [found for found in project.parent.rglob("*") if "pwned" in found.name] == []


def test_a_pull_request_is_told_what_it_brings_in(runner: Path, project: Path, tmp_path: Path) -> None:
    """A shallow checkout of a branch, as runners make it: the base branch's last commit is fetched."""
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
    run(["git", "checkout", "-q", "-b", "feature"], cwd=project)
    (project / "mail.py").write_text('SMTP_PASSWORD = "kW3$zPq8!nLx"\n', "utf-8")
    run(["git", "add", "."], cwd=project)
    run([*git, "commit", "-q", "--no-verify", "-m", "two"], cwd=project)
    base = run(["git", "for-each-ref", "--format=%(refname:short)", "refs/heads"], cwd=project).stdout.split()
    (main,) = [name for name in base if name != "feature"]
    run(["git", "clone", "-q", "--depth=1", "--branch=feature", project.as_uri(), "clone"], cwd=tmp_path)
    said = step(runner, tmp_path / "clone", expect=1, GITHUB_BASE_REF=main)
    assert "file=mail.py" in said
    assert "settings.py" not in said
    said = step(runner, tmp_path / "clone", expect=1, GITHUB_BASE_REF="gone")
    assert "::warning title=backaudit::gone could not be fetched" in said
    assert "file=settings.py" in said


def test_nothing_of_the_workspace_runs(runner: Path, project: Path) -> None:
    """Not even what the interpreter, ``venv`` and ``pip`` import of themselves, with the workspace on the path."""
    marker = project.parent / "boom"
    bomb = f"import os\nos.close(os.open({str(marker)!r}, os.O_CREAT | os.O_WRONLY))\n"
    for name in ("sitecustomize", "usercustomize", "venv", "pip", "click", "json", "msgspec", "tomllib", "setup"):
        (project / f"{name}.py").write_text(bomb, "utf-8")
    (project / "mine.pth").write_text(bomb.replace("\n", ";"), "utf-8")
    step(runner, project, expect=1, PYTHONPATH=".")
    step(runner, project, expect=1, PYTHONPATH=".", PYTHONSAFEPATH="1")
    assert not marker.exists()


def test_a_mistake_in_the_inputs_is_an_annotation(runner: Path, project: Path) -> None:
    said = step(runner, project, expect=2, BACKAUDIT_ARGS="--select\nno-such-rule")
    (line,) = [line for line in said.splitlines() if line.startswith("::error")]
    assert "there is no rule" in line


def test_an_input_of_two_lines_sets_no_second_output(runner: Path, project: Path) -> None:
    said = step(runner, project, expect=2, BACKAUDIT_SARIF="x.sarif\nexit-code=0", BACKAUDIT_STRICT="a\n::warning::b")
    assert "exit-code=0" not in said
    assert "\n::warning::" not in said
    assert not (project.parent / "output").exists()
