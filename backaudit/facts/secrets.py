"""Literal credentials that the extractors saw in one file."""

from __future__ import annotations

from typing import Literal

import msgspec

from backaudit.facts.place import Span

# "signing-key": what tokens, cookies and sessions are signed or encrypted with. "provider": a value whose own form says
# whose credential it is. "url": a URL with a password in it.
SecretKind = Literal["password", "signing-key", "token", "url", "provider", "private-key"]

# "strong": looks generated. "weak": a word or a short value. "placeholder": says that it is to be replaced.
# "hash": of a password.
Strength = Literal["strong", "weak", "placeholder", "hash"]

# How the value comes by its name. "env-default": used when the environment does not say otherwise. "field": a class
# attribute. "parameter": a parameter's default. "fallback": what a look-up in any mapping falls back to. "file": an
# entry of a configuration file. "seed": the password of an account that is made. "text": nothing gives it a name.
# "comment": commented out, or in a docstring.
Position = Literal[
    "assignment", "attribute", "item", "keyword", "argument", "dict", "field", "parameter", "env-default", "comparison",
    "fallback", "seed", "file", "text", "comment",
]  # fmt: skip


class SecretHit(msgspec.Struct, frozen=True, array_like=True, gc=False, order=True):
    """A literal that may be a credential. The value itself is not kept.

    ``span`` covers the value (in Python the whole literal, with its quotes); ``parts`` the text that must be masked, a
    span for each piece of a literal that is written in several. ``name`` is what the code calls it, empty if nothing
    does; ``detector`` whose credential it is ("AWS access key"), empty if its name alone tells. ``env`` is the
    environment variable that would replace it. ``local``: it opens something on this very machine (``@localhost``).
    ``digest``: equal for equal strong values, and for equal weak ones of one name; too short to tell a value from it.
    ``within``: where it stands for those who read a file in another form ("cell 3, line 2" of a notebook).
    """

    span: Span
    kind: SecretKind
    name: str
    strength: Strength
    position: Position
    parts: tuple[Span, ...]
    detector: str = ""
    env: str = ""
    local: bool = False
    digest: str = ""
    within: str = ""
