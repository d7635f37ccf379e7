"""Fixes of what the rules on authentication report."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from backaudit.analyses.auth.cookie_flags import SetCookie
from backaudit.analyses.auth.predictable import Predictable
from backaudit.analyses.auth.tokens import signings
from backaudit.backend.deployment.setting import Setting
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.project.changing import argument, instead, is_written, no_argument, safer
from backaudit.project.locate import strings
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


def one_algorithm(project: Project, call: Node, named: Sequence[str]) -> Iterator[Fix]:
    """Of the algorithms that a reading admits, the one by which the project signs, or the only real one."""
    given = call.arg(None, "algorithms")
    signing = _signing(project) & set(named)
    real = signing or {name for name in named if name.lower() != "none"}
    if given is not None and isinstance(given.op, ops.Build) and len(real) == 1:
        code = f'["{real.pop()}"]'
        yield Fix(summary=f"Admit {code} alone", changes=(argument(call, "algorithms", code),))


def algorithm_named(project: Project, call: Node) -> Iterator[Fix]:
    """The algorithm by which the project signs, given to a reading that admits any."""
    signing = _signing(project)
    if len(signing) == 1:
        code = f'["{signing.pop()}"]'
        yield Fix(summary=f"Admit {code} alone", changes=(argument(call, "algorithms", code),))


def verified_again(project: Project, call: Node, switch: str) -> Iterator[Fix]:
    """A reading without the switch that takes a check away, with the key and the algorithm by which is signed."""
    given, options = call.keywords(), call.arg(None, "options")
    listed = options.op if options is not None else None
    alone = isinstance(listed, ops.Build) and len(listed.keys) == 1
    name = switch if switch in given else "options" if alone else ""
    key = () if call.arg(1, "key") is not None else _key_beside(project, call)
    named = () if "algorithms" in given else sorted(_signing(project))
    if not name or key is None or ("algorithms" not in given and len(named) != 1):
        return
    added = [argument(call, "key", spelled) for spelled in key]
    added += [argument(call, "algorithms", f'["{one}"]') for one in named]
    summary = f"Leave `{name}` out, so that the token is verified"
    yield Fix(summary=summary, changes=(no_argument(call, name), *added))


def _key_beside(project: Project, call: Node) -> tuple[str] | None:
    """The name of the key with which a token is signed in the same file, if that is one of the module's own."""
    for signing in project.once(signings):
        key = signing.call.arg(1, "key")
        beside = not signing.headed and signing.call.code.path == call.code.path
        if beside and key is not None and isinstance(key.op, ops.Name):
            return (key.op.name,)
    return None


def _signing(project: Project) -> set[str]:
    """The algorithms by which the project signs tokens, as far as they are literal; the libraries' own is HS256."""
    found: set[str] = set()
    for signing in project.once(signings):
        if not signing.headed and project.role(signing.call.code.path) == "production":
            given = signing.call.arg(2, "algorithm")
            found.update(strings(project, given) if given is not None else ("HS256",))
    return {name for name in found if name.lower() != "none"}


def unpredictable(found: Predictable) -> Iterator[Fix]:
    """The same draw from the system's generator, which takes the same arguments."""
    changes = safer(found.call.func)
    # A version that is made of the clock may be given a node and a sequence, which no other takes.
    if changes and not (found.clock and found.call.args()):
        yield Fix(summary="Draw from the system's generator", changes=changes, safe=True)
