"""Whether a pattern of origins fits sites of strangers, found by trying."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_LONGEST = 300
_HOST = re.compile(r"[A-Za-z0-9-]+(?:\\?\.[A-Za-z0-9-]+)+")
# A repetition of what holds a repetition can take for ever: such a pattern is not tried.
_NESTED = re.compile(r"\([^()]*[+*}][^()]*\)[+*{]")


def fits_stranger(patterns: Iterable[str], *, whole: bool) -> str:
    """An origin of a stranger that one of the patterns lets by; empty if none was found.

    ``whole``: the pattern has to fit to the end, as against only from the start.
    """
    for pattern in patterns:
        if len(pattern) > _LONGEST or _NESTED.search(pattern):
            continue
        try:
            compiled = re.compile(pattern)
        except re.error:
            continue
        fits = compiled.fullmatch if whole else compiled.match
        for origin in _strangers(pattern):
            if fits(origin):
                return origin
    return ""


def _strangers(pattern: str) -> Iterator[str]:
    """Origins that resemble the hosts that a pattern spells, and belong to whoever registers them."""
    for found in dict.fromkeys(_HOST.findall(pattern)):
        host = found.replace("\\", "")
        if host.rpartition(".")[2].isdigit() or host.startswith("localhost"):
            continue
        yield f"https://evil{host}"
        yield f"https://evil-{host}"
        yield f"https://{host}.evil.test"
        if "\\." not in found:
            yield f"https://{host.replace('.', 'x', 1)}"
