"""Notebooks: which cells are read as what, and where in the raw file the cells' lines stand."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backaudit import plugins
from backaudit.extract import extract
from backaudit.extract.notebook import NotebookError, Passage, RawPlaces, cells, load, located
from backaudit.facts.files import FileFacts
from backaudit.facts.secrets import SecretHit
from backaudit.history import value_of
from backaudit.report import FORMATS, renderer
from backaudit.source import Source, decode
from backaudit.testing import scan

LOADED = plugins.load(reraise=True)
STRONG = "Vd3nXq8LtWmZ5rPyB7cK"
TOKEN = "ghp_aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bD1fH3jL5"


def code(source: object, *outputs: object, **metadata: object) -> dict[str, object]:
    return {"cell_type": "code", "source": source, "outputs": list(outputs), "metadata": metadata}


def markdown(source: object) -> dict[str, object]:
    return {"cell_type": "markdown", "source": source, "metadata": {}}


def printed(text: str) -> dict[str, object]:
    return {"output_type": "stream", "name": "stdout", "text": text.splitlines(keepends=True)}


def notebook(*of: object, language: str = "python") -> dict[str, object]:
    return {"cells": list(of), "metadata": {"language_info": {"name": language}}, "nbformat": 4, "nbformat_minor": 5}


def facts(text: str) -> FileFacts:
    source = decode("a.ipynb", text.encode())
    assert isinstance(source, Source)
    return extract(source)


def hits(*of: object, language: str = "python") -> list[SecretHit]:
    return list(facts(json.dumps(notebook(*of, language=language), indent=1)).secrets)


def raw(text: str, hit: SecretHit) -> list[str]:
    lines = text.split("\n")
    return [lines[part.line - 1][part.column : part.end_column] for part in hit.parts]


def test_the_place_is_the_raw_line_and_the_message_says_the_cell() -> None:
    text = json.dumps(notebook(markdown(["# é\n"]), code(["import os\n", f"API_KEY = '{STRONG}'\n"])), indent=1)
    report = scan({"a.ipynb": text}, LOADED)
    (issue,) = (issue for issue in report.issues if issue.rule.family == "secrets")
    assert "(cell 2, line 2)" in issue.finding.message
    assert STRONG in text.split("\n")[issue.finding.place.span.line - 1]
    assert (issue.finding.confidence, issue.rule.name) == ("medium", "hardcoded-secret")


@pytest.mark.parametrize(
    ("source", "within"),
    [
        (f"%matplotlib inline\n!pip install x\nAPI_KEY = '{STRONG}'\nframe?\n", "cell 1, line 3"),
        (f"%%time\nAPI_KEY = '{STRONG}'\n", "cell 1, line 2"),
        (f"files = !ls \\\n  -l\nAPI_KEY = '{STRONG}'\n", "cell 1, line 3"),
        (f"?x\nAPI_KEY = '{STRONG}'", "cell 1, line 2"),
        (f"%env API_KEY={STRONG}", "cell 1, line 1"),
        (f"%%bash\n\nexport API_KEY={STRONG}", "cell 1, line 3"),
        (f"%%writefile .env\nAPI_KEY={STRONG}", "cell 1, line 2"),
        (f"%%writefile app.py\nAPI_KEY = '{STRONG}'", "cell 1, line 2"),
        (f"def broken(:\nAPI_KEY = '{STRONG}'", "cell 1, line 2"),
        (f"'''\n%d\n''' % 1\nAPI_KEY = '{STRONG}'", "cell 1, line 4"),
        (f"x = 1\rAPI_KEY = '{STRONG}'\r\n", "cell 1, line 2"),
        (f"await f()\nAPI_KEY = '{STRONG}'", "cell 1, line 2"),
    ],
)
def test_lines_for_ipython_keep_the_count(source: str, within: str) -> None:
    for form in (source, source.splitlines(keepends=True)):
        (hit,) = hits(code(form))
        assert (hit.name, hit.strength, hit.within) == ("API_KEY", "strong", within)


def test_of_what_was_printed_the_form_alone_counts() -> None:
    (hit,) = hits(code("pass", printed(f"API_KEY = '{STRONG}'\npostgresql://u:{STRONG}@db.shop.net/x\n{TOKEN}\n")))
    assert (hit.detector, hit.within) == ("GitHub token", "cell 1, output")
    assert not hits(code("pass", {"output_type": "display_data", "data": {"image/png": TOKEN}}))
    assert not hits(markdown(f"![plot](data:image/png;base64,iVBORw0KGgo/AKIAQ3EGRM7VZ2TX5PLW/{TOKEN[4:]})"))


def test_a_private_key_that_was_printed_is_masked_line_by_line() -> None:
    body = "MIIEowIBAAKCAQEAx7Qd9mVb3Lk2Zt8Rw5Yc1Np6Sf4Hj0Gu"
    key = f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n{body[::-1]}\n-----END RSA PRIVATE KEY-----\n"
    for indent in (1, None):
        text = json.dumps(notebook(code("pass", printed(key))), indent=indent)
        (hit,) = facts(text).secrets
        assert {body, body[::-1]} <= set(raw(text, hit))


def test_code_of_other_kernels_is_no_python() -> None:
    assert not hits(code("api_key <- paste0('key', '=', x)"), language="R")
    assert not hits(code(f"requests.get(url, auth=('me', '{STRONG}'))"), language="julia")
    assert len(hits(code(f"requests.get(url, auth=('me', '{STRONG}'))"))) == 1


def test_a_constant_is_followed_from_cell_to_cell() -> None:
    found = hits(code(f"k = '{STRONG}'"), markdown("then"), code("import jwt\njwt.encode({}, k)"))
    assert [hit.within for hit in found] == ["cell 1, line 1"]


def test_placeholders_and_words_are_silent() -> None:
    text = json.dumps(notebook(code("API_KEY = 'your-api-key'\npassword = 'secret'\n"), markdown("password: hunter")))
    assert not scan({"a.ipynb": text}, LOADED).issues


def test_format_3_has_worksheets() -> None:
    cell = {"cell_type": "code", "language": "python", "input": [f"API_KEY = '{STRONG}'"], "outputs": []}
    document = {"worksheets": [{"cells": [{"cell_type": "heading", "source": ["Old"]}, cell]}], "nbformat": 3}
    assert [hit.within for hit in facts(json.dumps(document)).secrets] == ["cell 2, line 1"]


@pytest.mark.parametrize(
    "text",
    ['{"cells": [', "[]", '{"a": 1}', "[" * 100_000, '{"cells": 1}', "version https://git-lfs.github.com/spec/v1"],
)
def test_what_is_no_notebook_is_a_problem(text: str) -> None:
    (problem,) = facts(text).problems
    assert problem.kind == "unparsable"


def test_a_pointer_of_git_lfs_is_named() -> None:
    (problem,) = facts("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n").problems
    assert "Git LFS" in problem.message


def test_a_broken_notebook_is_still_searched() -> None:
    found = facts(f'{{"cells": [{{"source": ["API_KEY = \'{STRONG}\'"]')
    assert len(found.problems) == len(found.secrets) == 1
    assert not facts("").problems


@pytest.mark.parametrize("value", [None, 3, [1, None, ["x"]], {"a": [True]}, [[]], "\ud800"])
def test_odd_values_are_no_crash(value: object) -> None:
    cell = {"cell_type": value, "source": value, "outputs": value, "metadata": value}
    good = code(f"API_KEY = '{STRONG}'")
    text = json.dumps({"cells": [cell, value, good], "metadata": value, "worksheets": value})
    found = facts(text)
    assert [hit.within for hit in found.secrets] == ["cell 3, line 1"]
    assert not found.problems


def test_deep_outputs_are_read() -> None:
    token = "ghp_" + "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bD1fG3hJ5"
    text = json.dumps(notebook(code(f"API_KEY = '{STRONG}'", {"data": "DEEP"})))
    deep = facts(text.replace('"DEEP"', "[" * 200 + json.dumps(token) + "]" * 200))
    assert [hit.within for hit in deep.secrets] == ["cell 1, line 1", "cell 1, output"]
    assert not deep.problems


def test_without_a_prospect_nothing_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    from backaudit.extract.secrets import notebooks

    def parsed(*_: object) -> None:
        raise AssertionError

    for name in ("_parses", "_lowered", "located"):
        monkeypatch.setattr(notebooks, name, parsed)
    assert not hits(code("import numpy\nframe.plot()\n"), markdown("# Plots"))


_TEXT = st.text(st.sampled_from("ab =\n\r\t\"\\/é😀\u2028'x"), max_size=12)
_CELLS = st.lists(st.lists(_TEXT, max_size=4) | _TEXT, max_size=4)


@settings(max_examples=150, deadline=None)
@given(_CELLS, st.sampled_from([1, None]), st.booleans(), st.data())
def test_every_character_is_found_again(
    sources: list[object], indent: int | None, ascii: bool, data: st.DataObject
) -> None:
    text = json.dumps(notebook(*map(code, sources)), indent=indent, ensure_ascii=ascii)
    plain, placed = list(cells(load(text))), list(cells(located(text)))
    assert plain == placed
    for cell in placed:
        for passage in cell.passages:
            whole = passage.text
            places = RawPlaces(text, passage.strings)
            start = data.draw(st.integers(0, len(whole)))
            end = data.draw(st.integers(start, len(whole)))
            found = [json.loads(f'"{text[low:high]}"') for low, high in places.of(start, end)]
            assert "".join(found) == whole[start:end]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(["x = 1\n", "# é😀\n", "'\\\\\"'\n", "\n", "%time f()\n", "!ls\n"]), max_size=6), st.data()
)
def test_the_line_of_the_cell_is_that_of_the_raw_file(before: list[str], data: st.DataObject) -> None:
    indent, ascii, joined = data.draw(st.sampled_from([1, None])), data.draw(st.booleans()), data.draw(st.booleans())
    source: list[str] = [*before, f'é = "\\"", 1; API_KEY = "{STRONG}"\n', "x\n"]
    first = data.draw(st.lists(st.sampled_from([markdown("# é"), code(["y = 1\n"])]), max_size=3))
    document = notebook(*first, code("".join(source) if joined else source))
    text = json.dumps(document, indent=indent, ensure_ascii=ascii)
    (hit,) = facts(text).secrets
    assert hit.within == f"cell {len(first) + 1}, line {len(before) + 1}"
    assert raw(text, hit) == [STRONG]
    assert hit.span.line == text[: text.index(STRONG)].count("\n") + 1


@pytest.mark.parametrize("indent", [1, None])
@pytest.mark.parametrize("ascii", [True, False])
def test_an_escaped_value_is_masked_in_every_format(indent: int | None, ascii: bool) -> None:
    def said(value: str) -> list[str]:
        odd = f'{value[:10]}"&<{value[10:]}'
        cell = code(
            [f"é = MAIL_PASSWORD = {odd!r}\n", f"DB_PASSWORD = (\n    '{value}'\n    '{value[::-1]}'\n)\n"],
            printed(TOKEN),
        )
        text = json.dumps(notebook(cell, markdown([f"api_key: {value}9\n"])), indent=indent, ensure_ascii=ascii)
        report = scan({"a.ipynb": text, "other.py": f"debug = '{value}'\n"}, LOADED)
        assert len([issue for issue in report.issues if issue.rule.family == "secrets"]) >= 4
        return [renderer(name)(report) for name in FORMATS]

    other = "".join(chr(ord(char) + 1) if char.isalnum() and char not in "zZ9" else char for char in STRONG)
    for one, two in zip(said(STRONG), said(other), strict=True):
        assert one == two
        assert not [piece for piece in (STRONG[:10], STRONG[10:], TOKEN) if piece in one]


def test_one_secret_is_one_finding() -> None:
    text = json.dumps(notebook(code(f"API_KEY = '{STRONG}'"), code(f"os.environ['API_KEY'] = '{STRONG}'")), indent=1)
    (issue,) = scan({"a.ipynb": text}, LOADED).issues
    assert len(issue.finding.related) == 1


def test_an_equal_value_is_equal_in_another_version() -> None:
    one, two = (json.dumps(notebook(code(f"API_KEY = '{STRONG}'")), indent=indent) for indent in (1, None))
    assert value_of(one, facts(one).secrets[0]) == value_of(two, facts(two).secrets[0])


def test_errors_quote_nothing() -> None:
    with pytest.raises(NotebookError) as caught:
        load(f'{{"{STRONG}" ')
    assert STRONG not in str(caught.value)
    assert caught.value.line == 1
    assert Passage("source", ("a\n", "b")).text == "a\nb"
