"""What tells one database from another in what an index serves: where PostgreSQL's rules are not the others'."""

from __future__ import annotations

from typing import Literal

import msgspec


class Engine(msgspec.Struct, frozen=True, kw_only=True):
    """``prefixes``: which indexes serve LIKE with a fixed beginning: those in the order of bytes, all, or those that
    ignore case. ``skips``: a scan can skip from one of few leading values to the next. ``nulls_first``: nulls are the
    least values.
    """

    prefixes: Literal["bytes", "all", "nocase"]
    skips: bool
    nulls_first: bool


_POSTGRESQL = Engine(prefixes="bytes", skips=True, nulls_first=False)
# https://dev.mysql.com/doc/refman/8.4/en/index-btree-hash.html; a skip scan there wants all columns in the index.
_MYSQL = Engine(prefixes="all", skips=False, nulls_first=True)
# https://www.sqlite.org/optoverview.html: LIKE ignores case, and so must its index; a skip wants ANALYZE.
_SQLITE = Engine(prefixes="nocase", skips=False, nulls_first=True)


def engine(name: str) -> Engine:
    """The rules of a database by its name; PostgreSQL's for one that is not known."""
    return {"mysql": _MYSQL, "sqlite": _SQLITE}.get(name, _POSTGRESQL)
