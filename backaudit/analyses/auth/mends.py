"""Fixes of what the rules on authentication report."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from backaudit.analyses.auth.cookie_flags import SetCookie
from backaudit.analyses.auth.predictable import Predictable
from backaudit.backend.deployment.settings import Setting
from backaudit.project import Node
from backaudit.project.changing import argument, instead, is_written, safer
from backaudit.rule import Fix

FLAGS = {"httponly": "True", "secure": "True", "samesite": '"Lax"'}


def flags_on(cookie: SetCookie) -> Iterator[Fix]:
    """The flags that a call leaves off, given to it; not where they come from somewhere else."""
    yield from _arguments(cookie.at, {flag: FLAGS[flag] for flag in cookie.lacking})


def told_on(call: Node, names: Collection[str]) -> Iterator[Fix]:
    """Arguments that are ``False``, as ``True``; or given so where they are not."""
    yield from _arguments(call, dict.fromkeys(names, "True"))


def protected(call: Node, flags: Collection[str]) -> Iterator[Fix]:
    """The flags of a call that will set a cookie, under the names that it gives them: its own, or ``cookie_…``."""
    given = call.keywords()
    yield from told_on(call, [flag if flag in given else f"cookie_{flag}" for flag in flags])


def _arguments(call: Node, wanted: dict[str, str]) -> Iterator[Fix]:
    given = call.keywords()
    if call.call is not None and all(is_written(given[name]) for name in wanted if name in given):
        shown = ", ".join(f"{name}={code}" for name, code in wanted.items())
        changes = tuple(argument(call, name, code) for name, code in wanted.items())
        yield Fix(summary=f"Set {shown}", changes=changes, safe=True)


def setting_on(setting: Setting) -> Iterator[Fix]:
    """A setting that is ``False``, as ``True``."""
    if is_written(setting.value):
        yield Fix(summary=f"Set {setting.name} to True", changes=(instead(setting.value, "True"),), safe=True)


def unpredictable(found: Predictable) -> Iterator[Fix]:
    """The same draw from the system's generator, which takes the same arguments."""
    changes = safer(found.call.func)
    # A version that is made of the clock may be given a node and a sequence, which no other takes.
    if changes and not (found.clock and found.call.args()):
        yield Fix(summary="Draw from the system's generator", changes=changes, safe=True)
