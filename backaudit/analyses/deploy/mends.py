"""Fixes of what the rules on deployment report."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.deploy.certificates import Unchecked
from backaudit.analyses.deploy.debugging import default_of
from backaudit.analyses.deploy.images import bare
from backaudit.analyses.deploy.switched import DebugMode
from backaudit.extract.docker import Dockerfile
from backaudit.facts import ops
from backaudit.facts.changes import AnyChange, Replace
from backaudit.facts.place import Place
from backaudit.project import Node, Project
from backaudit.project.changing import assigned, instead, is_written, named_beside, needed, no_argument
from backaudit.rule import Fix
from backaudit.vocabulary.meaning import meaning

_HAS_NO_SHELL = meaning("images", "no-shell")
_IS_SMALL = meaning("images", "busybox")
# The other word of those that mean yes.
_OFF = {"true": "false", "1": "0", "yes": "no", "on": "off", "y": "n", "t": "f"}


def checked_again(found: Unchecked) -> Iterator[Fix]:
    """The check of certificates as the library has it by itself."""
    if found.call is not None and is_written(found.at):
        yield Fix(
            summary=f"Leave `{found.switch}` to its default, which checks the certificate",
            changes=(no_argument(found.call, found.switch),),
        )
    op = found.at.op
    value = found.at.to(op.value) if isinstance(op, ops.SetAttr) else None
    if value is not None and value.const is False and is_written(value):
        yield Fix(summary="Check the certificate", changes=(instead(value, "True"),))


def debug_off(project: Project, mode: DebugMode) -> Iterator[Fix]:
    """Debug mode off, unless the environment turns it on."""
    if mode.value is None:
        return
    if mode.how == "always":
        yield from _asked_for(project, mode.value)
    elif mode.how == "by-default":
        default = default_of(mode.value)
        yield from _off_by_default(default) if default is not None else ()


def with_user(path: str, made: Dockerfile) -> Iterator[Fix]:
    """A user of its own before the command that the container starts with."""
    starts = [item for item in made.stages[-1].body if item.keyword in ("CMD", "ENTRYPOINT")]
    image = list(made.chain())[-1].image
    if not starts or _HAS_NO_SHELL.holds(bare(image).lower()) or "$" in image:
        return
    makes = "adduser -D app" if _IS_SMALL.holds(image.lower()) else "useradd --system --create-home app"
    line = starts[0].span.line
    at = Place.at_line(path, line)
    yield Fix(
        summary="Run as a user of its own (see that it may write where it has to)",
        changes=(Replace(at, f"RUN {makes}\nUSER app\n"),),
    )


def hosts_named(project: Project, value: Node) -> Iterator[Fix]:
    """The names of hosts that the environment gives, this machine's alone where it gives none."""
    if isinstance(assigned(value).op, ops.Build):
        code = 'os.environ.get("ALLOWED_HOSTS", "localhost").split(",")'
        line = named_beside(project, value.code.path, "ALLOWED_HOSTS=localhost")
        changes: tuple[AnyChange, ...] = (instead(value, code), needed(value, "os"), line)
        yield Fix(summary="Take the names of hosts from the environment", changes=changes)
        return
    default = _default(value.origin)
    if default is not None:
        code = '"localhost"' if is_written(default) else '["localhost"]'
        yield Fix(
            summary="Admit this machine alone where the environment names no host", changes=(instead(default, code),)
        )


def _default(call: Node) -> Node | None:
    """The default of a look-up, also where its text is split afterwards."""
    if call.call is None:
        return None
    if call.method == "split" and call.receiver is not None:
        return _default(call.receiver.origin)
    given = call.arg(1, "default")
    return given if given is not None and given.origin is given else None


def set_to(value: Node, name: str, code: str) -> Iterator[Fix]:
    """A literal setting, as it should be."""
    if is_written(value):
        yield Fix(summary=f"Set {name} to {code}", changes=(instead(value, code),))


def _asked_for(project: Project, value: Node) -> Iterator[Fix]:
    """A literal switch as one that the environment turns on."""
    if is_written(value):
        code = 'os.environ.get("DEBUG") == "1"'
        yield Fix(
            summary="Off, unless the environment says `DEBUG=1`",
            changes=(instead(value, code), needed(value, "os"), named_beside(project, value.code.path, "DEBUG=0")),
        )


def _off_by_default(default: Node) -> Iterator[Fix]:
    """What stands in where the environment says nothing, as the word for no."""
    if not is_written(default):
        return
    value = assigned(default).const
    code = "False" if value is True else "0" if value == 1 else _no(value)
    if code:
        yield Fix(summary="Off where the environment says nothing", changes=(instead(default, code),))


def _no(value: object) -> str:
    """The literal for no of a text for yes, in its own case."""
    word = _OFF.get(value.lower(), "") if isinstance(value, str) else ""
    if not word or not isinstance(value, str):
        return ""
    told = word.upper() if value.isupper() else word.capitalize() if value[:1].isupper() else word
    return f'"{told}"'
