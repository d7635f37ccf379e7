"""``# nosec`` comments, as bandit reads them."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable, Mapping

# No tests named (an empty set): the line is excused from every check.
Excuses = Mapping[int, frozenset[str]]

_HINT = re.compile(r"#\s*nosec")


def read_excuses(text: str) -> Excuses:
    """Line → ids of the checks that its comment excuses, for lines with a ``# nosec`` comment.

    Tokenizing is slower than everything else done to a file, so that only files which could have such a comment are.
    """
    if not _HINT.search(text):
        return {}
    excuses = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(text, newline=None).readline):
            if token.type == tokenize.COMMENT and (named := _named_tests(token.string)) is not None:
                excuses[token.start[0]] = named
    except (tokenize.TokenError, SyntaxError):
        pass  # as bandit: the comments before the trouble count
    return excuses


def _named_tests(comment: str) -> frozenset[str] | None:
    from bandit.core.extension_loader import MANAGER
    from bandit.core.manager import NOSEC_COMMENT, NOSEC_COMMENT_TESTS

    found = NOSEC_COMMENT.search(comment)
    if not found:
        return None
    names = [match.group(1) for match in NOSEC_COMMENT_TESTS.finditer(found.group("tests") or "")]
    ids = (name if MANAGER.check_id(name) else MANAGER.get_test_id(name) for name in names)
    return frozenset(test_id for test_id in ids if test_id)


def is_excused(excuses: Excuses, test_id: str, reported: int | None, lines: Iterable[int]) -> bool:
    """Whether a comment on the ``reported`` line, or the first one on ``lines``, excuses the check ``test_id``."""
    relevant = [excuses[reported]] if reported is not None and reported in excuses else []
    relevant += [excuses[line] for line in lines if line in excuses][:1]
    named = frozenset().union(*relevant)
    return bool(relevant) and (not named or test_id in named)
