"""What linking must know of libraries, as data: the types of what they return and hold. Filled by ``models``."""

from __future__ import annotations

import msgspec


class ParameterConvention(msgspec.Struct, frozen=True):
    """A parameter called ``name`` in a file that imports ``package`` is taken for a ``type``, unless annotated."""

    name: str
    package: str
    type: str


class Knowledge(msgspec.Struct, frozen=True):
    """Tables by dotted name, values in the notation of :mod:`backaudit.project.types`.

    ``returns``: what a call gives; ``attributes``: what an attribute or a library's name is; ``aliases``: other names
    of the same thing (re-exports), to the name that the tables use.
    """

    returns: dict[str, str] = {}
    attributes: dict[str, str] = {}
    aliases: dict[str, str] = {}
    parameters: tuple[ParameterConvention, ...] = ()
