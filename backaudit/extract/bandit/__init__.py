"""bandit's checks over one Python file: its check functions, our walk (the only home of bandit).

What is found is bandit's, line for line; a test compares it with what its own command finds. Only the driver is ours,
since bandit's spends nearly all of its time on preparing for checks that do not apply.
"""

from __future__ import annotations

import ast
import io
import tokenize
import warnings

from backaudit.extract.bandit.checks import load_checks
from backaudit.extract.bandit.hits import MASK, Hits
from backaudit.extract.bandit.walk import Walk
from backaudit.facts.bandit import BanditHit, BanditSkipped

__all__ = ["MASK", "extract_bandit"]


def extract_bandit(
    text: str | bytes, path: str, tree: ast.Module | None = None
) -> tuple[BanditHit, ...] | BanditSkipped:
    """What bandit reports on a file, in order of place; ``path`` (relative, POSIX) is only what the checks are told.

    ``tree``: of the text, where it has been parsed; it may be changed.
    Text that this interpreter's ``ast`` cannot read, though another's could, gives :class:`BanditSkipped`.
    """
    try:
        text = _decoded(text)
        if tree is None:
            tree = _parsed(text)
    except SyntaxError as error:
        return BanditSkipped(error.msg, error.lineno or 0)
    except (ValueError, RecursionError, MemoryError) as error:
        return BanditSkipped(str(error) or "nested too deeply")
    checks = load_checks()
    hits = Hits(checks, text)
    Walk(checks, tree, path, hits.add).run()
    hits.add_hidden_direction()
    return hits.sorted()


def _parsed(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they are about the scanned code, and would be printed
        return ast.parse(text)


def _decoded(text: str | bytes) -> str:
    if isinstance(text, bytes):
        encoding, _ = tokenize.detect_encoding(io.BytesIO(text).readline)
        text = text.decode(encoding)
    return text.removeprefix("\ufeff")
