"""Builds ``backaudit/vocabulary/trigrams.py``: how English-like three letters in a row are.

    python -m tools.word_model

The source is the text of the running Python's own standard library (identifiers, comments, docstrings; PSF licence), so
that anybody can build the table anew. One digit for each of 27 x 27 x 26 trigrams (a boundary, then a-z; the third is
always a letter): how surprising the third letter is after the two before it, in steps of one bit, 9 for nine or more.
"""

from __future__ import annotations

import math
import re
import sysconfig
import textwrap
from collections import Counter
from pathlib import Path

_WORD = re.compile(r"[A-Z]?[a-z]{2,}")
_LETTERS = "^abcdefghijklmnopqrstuvwxyz"
# Of names of users, products and places the standard library has few.
_EXTRA = """
    postgres mysql mongo redis rabbit admin administrator root superuser user guest welcome qwerty letmein dragon
    monkey football master sunshine princess shadow hunter flask django fastapi python docker secret password passwd
    passphrase changeme insecure development production staging local test testing example sample dummy placeholder
    replace your jose alice bob john jane peter maria carlos company blog shop store bank todo task tasks market
    movie music super
"""
_FLOOR = 9


def main() -> None:
    words: Counter[str] = Counter()
    for path in sorted(Path(sysconfig.get_path("stdlib")).rglob("*.py")):
        if not {"site-packages", "test", "tests", "encodings", "unidata", "pydoc_data", "idle_test"} & set(path.parts):
            words.update(word.lower() for word in _WORD.findall(path.read_text("utf-8", "replace")))
    known = {word: count for word, count in words.items() if count >= 4 and len(word) < 16}
    known.update(dict.fromkeys(_EXTRA.split(), 50))
    Path("backaudit/vocabulary/trigrams.py").write_text(_module(_table(known)), "ascii")


def _module(table: str) -> str:
    rows = "\n".join(f'    b"{row}"' for row in textwrap.wrap(table, 104))
    title = "How English-like three letters in a row are; made by ``tools/word_model.py``, which says how."
    return f'"""{title}"""\n\nTABLE = (\n{rows}\n)\n'


def _table(words: dict[str, int]) -> str:
    triples: Counter[str] = Counter()
    pairs: Counter[str] = Counter()
    for word, count in words.items():
        weight = 1 + math.log2(count)
        padded = f"^^{word}"
        for at in range(len(word)):
            triples[padded[at : at + 3]] += weight  # type: ignore[assignment]
            pairs[padded[at : at + 2]] += weight  # type: ignore[assignment]
    return "".join(
        str(_bits(triples[a + b + c], pairs[a + b])) for a in _LETTERS for b in _LETTERS for c in _LETTERS[1:]
    )


def _bits(triple: float, pair: float) -> int:
    return min(_FLOOR, round(-math.log2(triple / pair))) if triple else _FLOOR


if __name__ == "__main__":
    main()
