"""What linking must know of libraries, as data: the types of what they return and hold. Filled by ``models``."""

from __future__ import annotations

import msgspec


class ParameterConvention(msgspec.Struct, frozen=True):
    """A parameter called ``name`` in a file that imports ``package`` is taken for a ``type``, unless annotated."""

    name: str
    package: str
    type: str


class Handover(msgspec.Struct, frozen=True):
    """A call that hands a function over to be run: where the function and its arguments stand.

    ``function``: its argument by position or keyword (``self``: the receiver). ``rest``: from which position on the
    arguments of the call itself are the function's; ``args`` and ``kwargs``: a sequence and a mapping of them;
    ``elements``: from which position on the arguments hold what it gets one by one. ``options``: keywords of the call
    that are its own. ``bound``: the keyword of the function's decorator that makes it get itself first. ``result``:
    what it returns is the call's value, its elements (``elements``), or lost (``none``).
    """

    function: tuple[int | str, ...] = (0,)
    rest: int | None = None
    args: tuple[int | str, ...] = ()
    kwargs: tuple[int | str, ...] = ()
    elements: int | None = None
    options: tuple[str, ...] = ()
    bound: str = ""
    result: str = "none"


class Knowledge(msgspec.Struct, frozen=True):
    """Tables by dotted name, values in the notation of :mod:`backaudit.project.types`.

    ``returns``: what a call gives; ``attributes``: what an attribute or a library's name is; ``aliases``: other names
    of the same thing (re-exports), to the name that the tables use; ``handovers``: calls that have a function run.
    """

    returns: dict[str, str] = {}
    attributes: dict[str, str] = {}
    aliases: dict[str, str] = {}
    parameters: tuple[ParameterConvention, ...] = ()
    handovers: dict[str, Handover] = {}
