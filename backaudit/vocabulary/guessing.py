"""How much of a text cannot be guessed: letters are weighed by a table of English trigrams, digits by their order."""

from __future__ import annotations

import re
from functools import lru_cache

from backaudit.vocabulary.trigrams import TABLE


def word_set(text: str) -> frozenset[str]:
    """The words of a text, for tables."""
    return frozenset(text.split())


# Mean surprise in bits a letter below which letters in a row read as a word; of random ones 2 in 100 do.
_WORDLIKE = 5.0
_RUN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^A-Za-z\d]")
_LEET = str.maketrans("@4310$57!", "aaeiossti")
_KEYBOARD = re.compile(
    r"(?i)qwert[yz]?u?i?o?p?|asdf(gh?)?j?k?l?|zxcv(bn?)?m?|qazwsx|abc(d(ef?)?)?|1q2w3e(4r)?(5t)?|xyz|foo|bar|baz|qux"
)
_SHORT = word_set(
    """
    a i my in on to of is it db id do go or no pw dj be me we us by if
    """
)
_SEQUENCES = "0123456789012345 9876543210"


@lru_cache(maxsize=10_000)
def is_word(text: str) -> bool:
    """Whether letters (a-z, any case) could be one of the language's words."""
    total, first, second = 0, 0, 0
    for char in text.lower():
        third = ord(char) - 96
        if not 1 <= third <= 26:
            return True
        total += TABLE[(first * 27 + second) * 26 + third - 1] - 48
        first, second = second, third
    return total <= _WORDLIKE * len(text)


def surprise(text: str) -> float:
    """About how many bits somebody would have to guess who knows words, years and keyboards."""
    found = _bits(_KEYBOARD.sub("", text))
    plain = text.translate(_LEET)
    return found if plain == text or not _reads(plain) else min(found, _bits(plain) + 4)


def _reads(text: str) -> bool:
    """Whether a text with its leet letters turned back is mostly words."""
    runs = re.findall(r"[A-Za-z]{4,}", text)
    return sum(len(run) for run in runs if is_word(run)) * 2 > len(text)


def _bits(text: str) -> float:
    return sum(_run(run) for run in _RUN.findall(text))


def _run(run: str) -> float:
    if run.isdigit():
        regular = run in _SEQUENCES or len(set(run)) <= 2 or re.fullmatch(r"(19|20)\d\d", run)
        return 4.0 if regular else 3.3 * len(run)
    if not run[0].isascii() or not run.isalpha():
        return 1.0 if run in "-_. " else 2.5
    if run.lower() in _SHORT or (len(run) >= 3 and is_word(run)):
        return 4.0
    return 4.7 * len(run)
