"""The pieces that programs are put together from, as their files say them. README.md describes the keys."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TypeVar

import msgspec
import tomli

HERE = Path(__file__).resolve().parent
_Kind = TypeVar("_Kind")


class Native(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a framework itself takes an input: a parameter, a decorator, or declarations of its own."""

    param: str = ""
    decorator: str = ""
    imports: str = ""
    declare: str | None = None
    read: str = ""
    value: str | None = None


class Caller(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a framework says who is calling."""

    key: str
    imports: str = ""
    definitions: str = ""
    decorator: str = ""
    param: str = ""


class Route(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a request arrives and is answered."""

    title: str
    framework: str
    files: dict[str, str]
    endpoint: str
    answer: str
    fail: str
    abort: str
    library: str = ""
    asynchronous: str = "either"
    package: str = ""
    abort_imports: str = ""
    first: tuple[str, ...] = ()
    path_value: str = ""
    path_types: dict[str, str] = {}
    path_param: str = ""
    session_param: str = ""
    session_imports: str = ""
    reads: dict[str, str] = {}
    natives: dict[str, Native] = {}
    caller: Caller | None = None
    asks: str = ""
    entry: str = ""
    page: str = ""
    redirect: str = ""
    aborts: dict[str, str] = {}
    argument: str = ""
    reading: dict[str, str] = {}
    writing: dict[str, str] = {}


class Store(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where rows are kept, and how each verb of verbs.toml is written there."""

    title: str
    models: str
    imports: str
    row: str
    verbs: dict[str, str]
    library: str = ""
    asynchronous: bool = False
    handle: str = ""
    handle_type: str = ""
    provider: str = ""
    open: str = ""
    setup: str = ""
    classes: bool = True
    joined: str = ""
    missing: str = ""
    conflict: str = ""
    columns: dict[str, tuple[str, ...]] = {}


class Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the client's values are read and, perhaps, checked."""

    title: str
    kind: str
    value: str
    source: str = ""
    library: str = ""
    imports: str = ""
    declare: str = ""
    field: str = ""
    types: dict[str, str] = {}
    read: str = ""
    whole: str = ""
    method: str = ""


class Layout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the work stands, seen from the handler."""

    title: str
    moves: str = ""
    library: str = ""
    files: dict[str, str] = {}
    imports: str = ""
    definitions: str = ""
    models: str = ""
    call: str = "$work"
    decorator: str = ""
    param: str = ""
    verb: str = ""
    use: str = ""
    db: str = ""
    model: str = ""
    given: str = "$name"
    fails: str = "answer"
    answers: bool = True
    renames: dict[str, str] = {}
    shape: str = "$work"
    carries: bool = False


class Variant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mistake, or one careful way to write the same."""

    work: str
    input: str = ""
    guarded: bool | None = None


class Sibling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another endpoint of the same program, which takes nothing from the client."""

    name: str
    work: str


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule's mistake and its careful twins."""

    rule: str
    title: str
    name: str
    mistake: Variant
    twins: dict[str, Variant]
    takes: dict[str, str] = {}
    inputs: tuple[str, ...] = ("path", "text", "open", "schema", "argument")
    method: str = "GET"
    imports: str = ""
    definitions: str = ""
    caller: bool = False
    answers: bool = True
    answer: str = "answer"
    sibling: Sibling | None = None


class Verb(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What every store is asked to write: its arguments, and what it gives."""

    takes: tuple[str, ...] = ()
    gives: str = ""


class Senseless(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Pieces that do not go together, and why. What is left out is any."""

    why: str
    route: tuple[str, ...] = ()
    store: tuple[str, ...] = ()
    input: tuple[str, ...] = ()
    layout: tuple[str, ...] = ()
    scenario: tuple[str, ...] = ()
    unless_route: tuple[str, ...] = ()
    unless_store: tuple[str, ...] = ()
    unless_input: tuple[str, ...] = ()
    unless_layout: tuple[str, ...] = ()
    unless_scenario: tuple[str, ...] = ()


class Pieces(msgspec.Struct, frozen=True):
    """Everything there is, by the names of the files."""

    routes: dict[str, Route]
    stores: dict[str, Store]
    inputs: dict[str, Input]
    layouts: dict[str, Layout]
    scenarios: dict[str, Scenario]
    verbs: dict[str, Verb]
    senseless: tuple[Senseless, ...]


@cache
def pieces() -> Pieces:
    """Read once; a key that nobody knows, or one that is missing, is refused."""
    return Pieces(
        routes=_folder("routes", Route),
        stores=_folder("stores", Store),
        inputs=_folder("inputs", Input),
        layouts=_folder("layouts", Layout),
        scenarios=_folder("scenarios", Scenario),
        verbs=msgspec.convert(_toml(HERE / "verbs.toml"), dict[str, Verb]),
        senseless=msgspec.convert(_toml(HERE / "senseless.toml")["pairs"], tuple[Senseless, ...]),
    )


def _folder(name: str, kind: type[_Kind]) -> dict[str, _Kind]:
    paths = sorted((HERE / name).glob("*.toml"))
    return {path.stem: _piece(path, kind) for path in paths}


def _piece(path: Path, kind: type[_Kind]) -> _Kind:
    try:
        return msgspec.convert(_toml(path), kind)
    except (msgspec.ValidationError, tomli.TOMLDecodeError) as error:
        raise ValueError(f"{path.parent.name}/{path.name}: {error}") from error


def _toml(path: Path) -> dict[str, object]:
    return tomli.loads(path.read_text("utf-8"))
