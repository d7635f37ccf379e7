"""Relations that come with rows: named by loading options, for the rows themselves or for those they are read from."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.data.queries import root_table
from backaudit.backend.data.queries.chains import chain_of, denoted_table
from backaudit.backend.data.schema import Relation, Table, schema
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.project.types import split


def loaded(link: Node) -> Iterator[str]:
    """The paths of relations that one link of a chain loads along, as far as they are told; ``*`` for unknown ones."""
    if link.is_call_of("loads-related"):
        if not link.args():
            yield "*"
        for argument in link.args():
            first = argument.origin.arg(0) if argument.origin.method == "Prefetch" else argument
            text = first.text if first is not None else None
            yield from _beginnings(text.split("__")) if text else ("*",)
    elif link.method == "options":
        for argument in link.args():
            yield from _beginnings(_option(argument.origin))


def loaded_after(chain: list[Node]) -> Iterator[str]:
    """The paths that a function loads into rows which it is handed: ``prefetch_related_objects(books, "tags")``."""
    code = chain[0].code
    held = {link.value for link in chain if link.code == code}
    for last in sorted(code.project.models.kinds["loads-related"]):
        for call in code.calls_of(last):
            first = call.arg(0)
            if call.receiver is None and first is not None and first.origin.value in held:
                for named in call.args()[1:]:
                    yield from _beginnings((named.text or "*").split("__"))


def unknown_options(link: Node) -> bool:
    """Whether a link is given options that nothing is known of."""
    call = link.call
    if call is None or not (link.method == "options" or link.is_call_of("loads-related")):
        return False
    known = [argument for argument in link.args() if argument.origin.call is not None or argument.text]
    return bool(call.star) or len(known) < len(link.args())


def _beginnings(path: list[str]) -> Iterator[str]:
    """``a``, ``a.b`` and so on: what is on the way is loaded too."""
    return (".".join(path[: index + 1]) for index in range(len(path)))


def _option(node: Node) -> list[str]:
    """The path of ``selectinload(A.b).joinedload(B.c)``, outermost relation first."""
    found: list[str] = []
    while node.call is not None:
        first = node.arg(0)
        if node.is_call_of("eager-options") and first is not None:
            op = first.origin.op
            found.append(op.name if isinstance(op, ops.Attr) else first.text or "*")
        receiver = node.receiver
        if receiver is None or receiver.origin.call is None:
            break
        node = receiver.origin
    return found[::-1]


def selected_along(project: Project, table: Table, links: list[Node]) -> frozenset[str]:
    """The relations whose rows the same query selects: ``Track.select(Track, Label).join(Label)``."""
    selects = (link for link in links if link.method in ("select", "query") and len(link.args()) > 1)
    models = {found.model for link in selects for given in link.args() if (found := denoted_table(project, given))}
    return frozenset(relation.name for relation in table.relations if relation.column and relation.target in models)


# -- rows read from a row ----------------------------------------------------------------------------------------------


def came_with_parent(project: Project, chain: list[Node]) -> frozenset[str]:
    """What rows that are read by a relation of another row have: the row they belong to, and what came with it."""
    for link in chain:
        op = link.op
        found = _relation(project, link.to(op.base), op.name) if isinstance(op, ops.Attr) else None
        if found is not None and isinstance(op, ops.Attr):
            owner, relation = found
            paths = _paths_of(project, owner, link.to(op.base))
            below = {path.removeprefix(f"{op.name}.") for path in paths if path.startswith(f"{op.name}.")}
            return frozenset(below | set(way_back(project, relation)))
    return frozenset()


def _relation(project: Project, base: Node, name: str) -> tuple[Table, Relation] | None:
    tables = schema(project)
    for type_ in project.types(base):
        table = tables.of_model(split(type_)[0])
        found = tables.relation(table, name) if table is not None else None
        if found is not None:
            return found
    return None


def way_back(project: Project, relation: Relation) -> Iterator[str]:
    """The relations by which rows lead back to the row that they were read from."""
    target = schema(project).of_model(relation.target)
    if target is not None and relation.remote not in ("", "*"):
        yield from (back.name for back in target.relations if back.column == relation.remote)


def ways_back(project: Project, table: Table, eager: frozenset[str]) -> frozenset[str]:
    """The paths by which rows that were loaded along lead back to those that they belong to: ``profile.user``."""
    found: set[str] = set()
    for path in eager:
        pair = schema(project).relation(table, path)
        found |= {f"{path}.{back}" for back in way_back(project, pair[1])} if pair is not None else set()
    return frozenset(found)


def _paths_of(project: Project, owner: Table, row: Node) -> frozenset[str]:
    """The relations that came with a row: by its own query, or, for one that is handed in, by any of the table's."""
    row = row.origin
    if isinstance(row.op, ops.Param):
        return project.once(_loaded_anywhere).get(owner.name, frozenset())
    base = row.to(row.op.base) if isinstance(row.op, ops.Element) else row
    return frozenset(path for link in _with_statements(base) for path in loaded(link))


def _with_statements(node: Node) -> Iterator[Node]:
    for link in chain_of(node):
        yield link
        for argument in link.args() if link.call is not None else ():
            yield from chain_of(argument)


def _loaded_anywhere(project: Project) -> dict[str, frozenset[str]]:
    """The paths that queries of the project load along with a table's rows."""
    found: dict[str, set[str]] = {}
    for last in ("options", *sorted(project.models.kinds["loads-related"])):
        for link in project.calls_of(last):
            table = root_table(project, link)
            if table is not None:
                found.setdefault(table.name, set()).update(loaded(link))
    return {name: frozenset(paths) for name, paths in found.items()}
