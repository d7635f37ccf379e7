"""`.env` files, held against python-dotenv."""

from __future__ import annotations

import io

from dotenv.parser import parse_stream
from hypothesis import given, settings
from hypothesis import strategies as st

from backaudit.extract.dotenv import parse_env

ROWS = (
    "A=1", "export B = two", "C='it\\'s'", 'D="x\\ny" # note', "E=a#b", "F=a #b", "G= # nothing", "H=", "I", "'J K'=1",
    "K='a\nb'", 'L="a\r\nb"', "M='open", 'N="a" b', "# O=1", "P==x=", "  Q=1  ", "R=\\n", "S=${A:-x}", "T='a' # b",
    "=U", "export V", "W\t=\t'x'", "X='\\\\'", 'Y="\\t\\q"', "Z=a\x0bb", "é=ü", "1=2", "a b=c", "b.c-d=e", "'e'",
    "export=f",
)  # fmt: skip


def _theirs(text: str) -> list[tuple[str, str]]:
    # Their reading ends lines at \r too, which io's universal newlines would change.
    stream = io.StringIO(text, newline="")
    return [
        (found.key, found.value)
        for found in parse_stream(stream)
        if not found.error and found.key is not None and found.value is not None
    ]


def _ours(text: str) -> list[tuple[str, str]]:
    return [(found.name, found.value) for found in parse_env(text) if not found.refused]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ROWS), st.sampled_from(("\n", "\r\n", "\r", "\n\n", ""))), max_size=6))
def test_rows_are_read_as_python_dotenv_reads_them(rows: list[tuple[str, str]]) -> None:
    text = "".join(row + end for row, end in rows)
    assert _ours(text) == _theirs(text)


@settings(max_examples=100, deadline=None)
@given(st.text('AB==\'""\\n#  \t\r\nexport$', max_size=40))
def test_any_text_is_read_as_python_dotenv_reads_it(text: str) -> None:
    assert _ours(text) == _theirs(text)


@given(st.lists(st.sampled_from(ROWS), max_size=6))
def test_a_value_stands_where_it_is_said_to(rows: list[str]) -> None:
    text = "\n".join(rows)
    for found in parse_env(text):
        written = text[found.start : found.end]
        assert found.value == written or "\\" in written


def test_what_python_dotenv_refuses_is_read_as_a_line() -> None:
    found = {pair.name: pair for pair in parse_env('A=\'open\nB="x" y\nC=3\n')}
    assert {name: (pair.value, pair.refused) for name, pair in found.items()} == {
        "A": ("'open", True),
        "B": ('"x" y', True),
        "C": ("3", False),
    }
