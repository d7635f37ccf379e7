"""Deployment: the parsers behind the rules, and the rules' fixtures."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from backaudit import plugins
from backaudit.backend.deployment.stages import stage_of
from backaudit.extract.docker import parse
from backaudit.extract.yaml import parse_yaml
from backaudit.testing import run, scan
from tests.projects import project

LOADED = plugins.load(reraise=True)

ROOT = Path(__file__).resolve().parents[2]


def test_the_fixtures_are_met() -> None:
    outcome = run(ROOT / "fixtures" / "deploy", plugins.load(reraise=True))
    assert not outcome.failures, "\n".join(map(str, outcome.failures))
    assert outcome.expectations > 25


def test_a_dockerfile_by_its_instructions() -> None:
    made = parse(
        "# syntax=docker/dockerfile:1\n"
        "ARG VERSION=3.12\n"
        "FROM --platform=linux/amd64 python:${VERSION}-slim AS build\n"
        "RUN pip install \\\n"
        "    # the tools\n"
        "\n"
        "    wheel\n"
        "FROM build\n"
        "RUN <<EOF\n"
        "USER nobody\n"
        "EOF\n"
        'CMD ["gunicorn", "app:app"]\n'
    )
    assert [(stage.image, stage.name) for stage in made.stages] == [("python:3.12-slim", "build"), ("build", "")]
    assert [(i.keyword, i.span.line) for i in made.stages[0].body] == [("RUN", 4)]
    assert [(i.keyword, i.span.line) for i in made.stages[1].body] == [("RUN", 9), ("CMD", 12)]
    assert made.stages[1].body[1].words == "gunicorn app:app"
    assert [stage.name for stage in made.chain()] == ["", "build"]


def test_another_escape_character() -> None:
    made = parse("# escape=`\nFROM windows\nRUN a `\n  b\nUSER c:\\users\\\n")
    assert [i.keyword for i in made.stages[0].body] == ["RUN", "USER"]


@given(st.text("FROMRUNUSER \\\n#[]\"'<EOFa:$", max_size=120))
def test_no_text_breaks_the_dockerfile_parser(text: str) -> None:
    parse(text)


def test_yaml_keeps_places_anchors_and_the_last_of_duplicate_keys() -> None:
    ((document,), _) = parse_yaml(
        "base: &base\n  image: one\nweb:\n  <<: *base\n  ports:\n    - 80:80\n  name: a\n  name: b\n"
    )
    image, name = document.get("web", "image"), document.get("web", "name")
    assert image is not None
    assert (image.text, image.span.line) == ("one", 2)
    assert name is not None
    assert (name.text, name.span.line) == ("b", 8)
    ports = document.get("web", "ports")
    assert ports is not None
    assert [(item.text, item.span.line, item.span.column) for item in ports.items] == [("80:80", 6, 6)]


def test_yaml_that_cannot_be_read_is_missing_and_told() -> None:
    assert parse_yaml("a: [1\nb: {{ x }}\n") == ((), 2)
    assert parse_yaml("") == ((), 0)
    (first,), line = parse_yaml("a: 1\n---\nb: [\n")
    assert first.get("a") is not None
    assert line > 2
    assert parse_yaml("a: " + "[" * 5_000)[1] == 1
    report = scan({"docker-compose.yml": "services:\n  db:\n\timage: postgres\n"}, LOADED)
    assert [(one.kind, one.path, one.line) for one in report.problems] == [("bound", "docker-compose.yml", 3)]


def test_mappings_that_are_merged_over_and_over_cost_what_they_are_long() -> None:
    levels = "".join(f"m{n}: &m{n}\n  <<: [*m{n - 1}, *m{n - 1}]\n  k{n}: {n}\n" for n in range(1, 60))
    ((document,), _) = parse_yaml(f"m0: &m0\n  k0: 0\n{levels}")
    last = document.get("m59")
    assert last is not None
    assert len(last.entries) == 60
    first_wins = parse_yaml("a: &a {k: one}\nb: &b {k: two}\nc: {<<: [*a, *b]}\n").found[0].get("c", "k")
    assert first_wins is not None
    assert first_wins.text == "one"


def test_what_a_file_is_for() -> None:
    paths = {
        "scripts/admin_e2e.py": "test",
        "users/factories.py": "test",
        "docs_openapi.json": "example",
        "openapi.json": "example",
        "app/openapi.py": "production",
        "app/openapi/views.py": "production",
        "scripts/load.py": "production",
        "users/factory.py": "production",
    }
    linked = project(dict.fromkeys(paths, "{}\n"))
    assert {path: stage_of(linked, path) for path in paths} == paths
