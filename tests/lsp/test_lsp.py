"""The language server, asked by a client over standard input and output as an editor does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
import pytest
from lsprotocol import types
from pygls.workspace import PositionCodec, TextDocument

from backaudit.lsp.accepting import Insertion, accepting
from backaudit.lsp.places import moved
from backaudit.lsp.showing import Files, actions, diagnostic
from backaudit.report.json import FindingRecord
from tests.lsp.editor import PATIENCE, Editor

WEAK = "import hashlib\n\n\ndef save(user, password):\n    user.password = hashlib.md5(password.encode()).hexdigest()\n"
COOKIE = """\
from flask import Flask, make_response, session

app = Flask(__name__)
app.secret_key = __import__("os").environ["KEY"]


@app.post("/login")
def login():
    answer = make_response("ok")
    answer.set_cookie("session", "ünï 😀", secure=False)  # a wide 😀 before
    return answer
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path.resolve() / "my shop"
    root.mkdir()
    (root / "backaudit.toml").write_text("")
    (root / "weak.py").write_text(WEAK)
    (root / "fine.py").write_text("x = 1\n")
    return root


def session(root: Path, steps: Callable[[Editor], Awaitable[None]], *arguments: str) -> Editor:
    """Run an editor's session to its end."""

    async def run() -> Editor:
        editor = Editor(root)
        await editor.begin(*arguments)
        try:
            await steps(editor)
        finally:
            await asyncio.wait_for(editor.end(), PATIENCE)
        return editor

    work: Coroutine[Any, Any, Editor] = run()
    return asyncio.run(work)


@pytest.mark.e2e
def test_a_file_is_told_when_it_is_opened_edited_saved_and_closed(root: Path) -> None:
    async def steps(editor: Editor) -> None:
        editor.open("weak.py")
        await editor.until(lambda: editor.codes("weak.py") == [("passwords/weak-hash", 5)])
        editor.open("fine.py")
        await editor.until(lambda: editor.codes("fine.py") == [])

        moved_down = "# a new line\n\n" + WEAK
        editor.edit("weak.py", moved_down)
        await editor.until(lambda: editor.codes("weak.py") == [("passwords/weak-hash", 7)])
        leaked = moved_down + '\nSTRIPE_SECRET_KEY = "sk_live_' + "4eC39HqLyjWDarjtT1zdp7dc" + '"\n'
        editor.edit("weak.py", leaked, 3)
        both = [("passwords/weak-hash", 7), ("secrets/hardcoded-secret", 9)]
        await editor.until(lambda: editor.codes("weak.py") == both)
        editor.save("weak.py", leaked)
        editor.edit("fine.py", WEAK)
        editor.save("fine.py", WEAK)
        await editor.until(lambda: editor.codes("fine.py") == [("passwords/weak-hash", 5)])
        assert editor.codes("weak.py") == both

        document = types.TextDocumentIdentifier(uri=editor.uri("weak.py"))
        editor.text_document_did_close(types.DidCloseTextDocumentParams(text_document=document))
        await editor.until(lambda: editor.codes("weak.py") == [])

    session(root, steps)


@pytest.mark.e2e
def test_a_finding_is_explained_mended_and_accepted(root: Path) -> None:
    (root / "app.py").write_text(COOKIE, "utf-8")

    async def steps(editor: Editor) -> None:
        editor.open("app.py")
        await editor.until(lambda: bool(editor.codes("app.py")))
        (shown,) = [one for one in editor.told[editor.uri("app.py")] if one.code == "auth/insecure-cookie"]
        assert shown.source == "backaudit"
        assert shown.code_description is not None
        assert shown.code_description.href.endswith("auth/insecure-cookie/")
        line = COOKIE.split("\n")[shown.range.start.line]
        units = line.encode("utf-16-le")
        assert units[2 * shown.range.start.character : 2 * shown.range.end.character].decode("utf-16-le") in line
        told = await editor.page("app.py", shown.range.start.line + 1, shown.range.start.character)
        assert "auth/insecure-cookie" in told
        assert "How to mend it" in told
        assert await editor.page("app.py", 1, 0) == ""

        found = await editor.actions("app.py", shown.range.start.line + 1)
        accept = found["Accept auth/insecure-cookie with a comment that says why"]
        mends = [one for title, one in found.items() if one is not accept]
        assert mends
        assert all(mended(COOKIE, one, editor.uri("app.py")) != COOKIE for one in mends)
        assert accept.edit is not None
        assert accept.edit.changes is not None
        (edit,) = accept.edit.changes[editor.uri("app.py")]
        assert "# backaudit: ignore[insecure-cookie] TODO: say why" in edit.new_text

        # What was scanned is not what is there: a fix would change something else.
        editor.edit("app.py", "# above\n" + COOKIE)
        await editor.until(lambda: editor.codes("app.py") is not None)
        assert [*await editor.actions("app.py", shown.range.start.line + 2)] == [
            "Accept auth/insecure-cookie with a comment that says why"
        ]

    session(root, steps, "--strict")


@pytest.mark.e2e
def test_the_way_of_a_finding_is_told_with_its_places(root: Path) -> None:
    (root / "db.py").write_text(
        "import sqlite3\n\n\ndef named(name):\n    cursor = sqlite3.connect('a').cursor()\n"
        "    return cursor.execute(f\"SELECT * FROM t WHERE a = '{name}'\").fetchall()\n"
    )
    (root / "app.py").write_text(
        "from flask import Flask, request\nfrom db import named\n\napp = Flask(__name__)\n\n\n"
        '@app.get("/")\ndef find():\n    return str(named(request.args["q"]))\n'
    )

    async def steps(editor: Editor) -> None:
        editor.open("db.py")
        await editor.until(lambda: bool(editor.codes("db.py")))
        (shown,) = [one for one in editor.told[editor.uri("db.py")] if one.code == "validation/sql-injection"]
        assert shown.severity == types.DiagnosticSeverity.Error
        ways = {one.location.uri for one in shown.related_information or ()}
        assert ways >= {editor.uri("app.py"), editor.uri("db.py")}

    session(root, steps)


@pytest.mark.e2e
def test_nothing_of_the_project_is_imported(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(root))
    for name in ("pygls", "lsprotocol", "click", "attrs", "cattrs", "asyncio", "hashlib", "json"):
        (root / f"{name}.py").write_text(f"open({str(root / 'ran')!r}, 'a').write({name!r})\n")

    async def steps(editor: Editor) -> None:
        editor.open("weak.py")
        await editor.until(lambda: editor.codes("weak.py") == [("passwords/weak-hash", 5)])
        editor.edit("weak.py", "# above\n" + WEAK)
        await editor.until(lambda: editor.codes("weak.py") == [("passwords/weak-hash", 6)])
        assert await editor.page("weak.py", 6, 20) != ""

    session(root, steps)
    assert not (root / "ran").exists()


@pytest.mark.e2e
def test_a_broken_configuration_is_told(root: Path) -> None:
    (root / "backaudit.toml").write_text("strct = true\n")

    async def steps(editor: Editor) -> None:
        editor.open("weak.py")
        await editor.until(lambda: bool(editor.messages))

    assert 'Did you mean "strict"?' in session(root, steps).messages[0]


def mended(text: str, action: types.CodeAction, uri: str) -> str:
    """The text with an action's edits of it made, as an editor makes them."""
    assert action.edit is not None
    changes = [one for one in action.edit.document_changes or () if isinstance(one, types.TextDocumentEdit)]
    document = TextDocument(uri, text)
    for change in changes:
        if change.text_document.uri == uri:
            edits = [one for one in change.edits if isinstance(one, types.TextEdit)]
            for edit in sorted(edits, key=lambda one: one.range.start, reverse=True):
                document.apply_change(types.TextDocumentContentChangePartial(range=edit.range, text=edit.new_text))
    compile(document.source, "app.py", "exec")
    return document.source


def test_a_fix_makes_the_file_that_it_needs() -> None:
    edit = {"path": ".env.example", "line": 1, "column": 1, "end_line": 1, "end_column": 1, "text": "KEY=\n"}
    fix = {"summary": "Read the key from the environment", "safe": True, "edits": [edit]}
    data = {**msgspec.to_builtins(finding(1)), "fixes": [fix]}
    found = msgspec.convert(data, FindingRecord)
    files = Files(lambda path: f"file:///{path}", lambda path: [""], lambda path: False, PositionCodec())
    shown = diagnostic(found, None, files)
    first, *_ = actions(found, shown, files, is_current=True)
    assert first.edit is not None
    assert [type(change).__name__ for change in first.edit.document_changes or ()] == ["CreateFile", "TextDocumentEdit"]
    assert first.is_preferred
    assert len([*actions(found, shown, files, is_current=False)]) == 1


# -- places ------------------------------------------------------------------------------------------------------------


def finding(line: int, end_line: int = 0) -> FindingRecord:
    data = dict.fromkeys(("fingerprint", "scope", "message", "remedy", "evidence", "justification"), "")
    more = dict.fromkeys(("assumed", "trace", "related", "fixes", "excerpt"), ())
    span = {"path": "a.py", "line": line, "column": 1, "end_line": end_line or line, "end_column": 5}
    kinds = {"rule": "a/b", "severity": "low", "confidence": "high", "status": "new"}
    return msgspec.convert({**data, **more, **span, **kinds}, FindingRecord)


def test_findings_move_with_their_lines_and_go_with_them() -> None:
    before = ["a", "b", "c", "d"]
    expected = {"a b c d": [2, 3], "x a b c d": [3, 4], "a b x c d": [2, 4], "a x c d": [3], "a b c x d": [2], "": []}
    for after, lines in expected.items():
        found = moved([finding(2), finding(3, 4)], before, after.split())
        assert [one.line for one in found] == lines, after


PYTHON = [
    "def f(",
    "    a,",
    "):",
    "    return g(",
    "        a,",
    "    )  # no",
    "    text = '''",
    "    # no comment",
    "    '''",
    "x = 1",
]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (2, Insertion(2, 2, "  # backaudit: ignore[r] TODO: say why")),
        (5, Insertion(3, 0, "    # backaudit: ignore[r] TODO: say why\n")),
        (8, Insertion(8, 7, "  # backaudit: ignore[r] TODO: say why")),
        (10, Insertion(9, 5, "  # backaudit: ignore[r] TODO: say why")),
        (11, None),
    ],
)
def test_a_comment_goes_where_it_is_one(line: int, expected: Insertion | None) -> None:
    assert accepting("r", "a.py", PYTHON, line) == expected


def test_files_without_such_comments_get_none() -> None:
    assert accepting("r", "a.sql", ["SELECT 1"], 1) is None
    assert accepting("r", "Dockerfile", ["FROM x"], 1) == Insertion(0, 0, "# backaudit: ignore[r] TODO: say why\n")
