"""What a body writes, itself or through the project's functions that it calls."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import Literal

import msgspec

from backaudit.backend.access.statements import SQL_COUNTS, SQL_WRITE, sql_text
from backaudit.backend.access.tables import form_table, repository_table, told_table, touched_table
from backaudit.backend.data.counting import only_counts
from backaudit.backend.data.documents.naming import collection_name as stored_name
from backaudit.backend.data.queries.chains import chain_of, denoted_table, given_statement, table_of
from backaudit.backend.data.schema import Table, schema
from backaudit.backend.data.updates import written_objects
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.project.locate import makes_object
from backaudit.project.summaries import Summary, by_calls, summary
from backaudit.project.types import split
from backaudit.vocabulary.meaning import meaning

_COMMON = meaning("routes", "record-keeping")


How = Literal["insert", "update", "delete"]


class Change(msgspec.Struct, frozen=True):
    """A call that writes. ``table``: where to, as far as known; ``name``: what to show for it; ``how`` it changes.

    ``counts``: it only counts something about the row, as each visit does.
    """

    node: Node
    table: Table | None
    name: str
    how: How = "insert"
    counts: bool = False


def changes(project: Project, code: Code) -> tuple[Change, ...]:
    """The writes of a body and of the project's functions that it calls, as calls in that body."""
    return project.once(_summary).ask(code)


def _summary(project: Project) -> Summary[Change]:
    return summary(project, lambda code: _changes(project, code))


def own_changes(project: Project, code: Code) -> Iterator[Change]:
    """The writes of a body itself."""
    found = (written(project, call) for call in code.nodes(ops.Call))
    yield from (change for change in found if change is not None)
    yield from _set(project, code)


def _changes(project: Project, code: Code) -> Iterator[Change]:
    def inner(call: Node, callee: Code) -> Iterator[Change]:
        found = changes(project, callee)
        if found and not _is_common(callee):
            table = told_table(project, call, callee, found[0].table)
            name = _named(table, None) or found[0].name
            yield Change(call, table, name, found[0].how, all(change.counts for change in found))

    yield from by_calls(code, partial(written, project), inner)
    yield from _set(project, code)


def _set(project: Project, code: Code) -> Iterator[Change]:
    """Attributes of rows that are set before the body commits, itself or by what it calls."""
    commits = project.once(_commits).ask(code)
    for found in written_objects(project, code) if commits else ():
        table = touched_table(project, found.row) if found.at.value <= commits[-1].value else None
        is_new = makes_object(project, project.resolved(found.row))
        if table is not None and not is_new:
            yield Change(found.at, table, _named(table, None), "update", found.counts)


def _commits(project: Project) -> Summary[Node]:
    """The calls of a body that commit, themselves or by a function that they call, in order."""

    def inner(call: Node, callee: Code) -> Iterator[Node]:
        if project.once(_commits).ask(callee):
            yield call

    return summary(project, lambda code: by_calls(code, _commit, inner))


def _commit(call: Node) -> Node | None:
    return call if call.method == "commit" else None


def _is_common(code: Code) -> bool:
    """Start-up and logging helpers write, but not for the caller."""
    return _COMMON.holds(code.function.name.lower())


def written(project: Project, call: Node) -> Change | None:
    """The change that one call makes, if it writes to a store."""
    method, receiver = call.method, call.receiver
    sql = sql_text(project, call)
    found = SQL_WRITE.search(sql) if sql else None
    if found is not None:
        table = schema(project).table(found[2].rpartition(".")[2])
        counts = bool(SQL_COUNTS.search(sql))
        return Change(call, table, table.name if table else found[2], how(found[1]), counts)
    if receiver is None or _is_list(project, receiver) or _makes_default(call):
        return None
    if _asks_repository(project, call):
        table = repository_table(project, call)
        return Change(call, table, _named(table, receiver), how(method))
    if method in project.models.kinds["statement-runners"]:
        return _of_statement(project, call)
    if method in project.models.kinds["session-writes"] and _is_session(project, receiver):
        first = call.arg(0)
        table = touched_table(project, first) if first is not None else None
        done = "update" if how(method) == "insert" and _is_loaded(project, first) else how(method)
        return Change(call, table, _named(table, first), done)
    if method in project.models.kinds["collection-writes"]:
        return Change(call, None, stored_name(project, receiver) or receiver.spelled, how(method))
    if method in project.models.kinds["query-writes"] or _removes(project, call):
        return _of_query(project, call, receiver)
    return None


def _is_list(project: Project, receiver: Node) -> bool:
    """Whether it is a list of the program's own: ``rows.insert(0, Row())`` stores nothing."""
    return any(split(name)[0] == "list" for name in project.types(receiver))


def _makes_default(call: Node) -> bool:
    """Whether a row of nothing but constants is stored where it was not found: whoever asks first changes nothing."""
    caught = any(region.kind == "except" for region in call.code.regions_of(call.value))
    row = call.receiver.origin if call.receiver is not None else call
    given = row.args() if row.call is not None and call.method in ("save", "asave") else call.args()
    return caught and bool(given) and all(isinstance(value.origin.op, ops.Const) for value in given)


def _asks_repository(project: Project, call: Node) -> bool:
    """Whether a call is of a library's repository or service, which writes rows of the model that it is made for."""
    func = call.func
    return func is not None and not project.models.kinds["repository-writes"].isdisjoint(project.names(func))


def _removes(project: Project, call: Node) -> bool:
    """Whether a call deletes a row by a word that means something else of other things: ``note.remove()``."""
    func = call.func
    return func is not None and not project.models.kinds["row-removers"].isdisjoint(project.names(func))


def _is_loaded(project: Project, row: Node | None) -> bool:
    """Whether what a session is given was there before: a row that was asked for, not one that is made here."""
    made = project.resolved(row) if row is not None else None
    while made is not None and isinstance(made.op, ops.Await):
        made = project.resolved(made.to(made.op.value))
    return made is not None and any(link.is_call_of("lookups") for link in chain_of(made) if link.call is not None)


def _of_statement(project: Project, call: Node) -> Change | None:
    """``session.execute(delete(Model).where(...))``, ``connection.execute(table.delete())``."""
    given = given_statement(call)
    writing = project.models.kinds["writing-statements"]
    for link in chain_of(given) if given is not None else ():
        func = link.func
        names = project.names(func) if func is not None else ()
        if not writing.isdisjoint(names):
            table = table_of(project, link) or (denoted_table(project, link.receiver) if link.receiver else None)
            return Change(call, table, _named(table, link.arg(0)), how(link.method), only_counts(call))
    return None


def _of_query(project: Project, call: Node, receiver: Node) -> Change | None:
    """``rows.delete()``, ``row.save()``, ``form.save()``."""
    table = touched_table(project, receiver)
    done: How = "delete" if _removes(project, call) else how(call.method)
    if table is not None:
        fresh = call.method in ("save", "asave") and receiver.origin.call is not None
        made = fresh and makes_object(project, receiver.origin)
        adds = made or (done == "update" and _only_adds(project, receiver))
        return Change(call, table, _named(table, receiver), "insert" if adds else done, only_counts(call))
    document = _document(project, receiver)
    if document:
        return Change(call, None, document, done)
    if call.method == "save" and _is_form(project, receiver):
        bound = _is_bound(project, receiver.origin)
        return Change(call, form_table(project, receiver), receiver.spelled, "update" if bound else "insert")
    return None


def _only_adds(project: Project, row: Node) -> bool:
    """Whether all that a body does to a row before it is saved is to add to a list in it: a comment to a post."""
    if any(found.row.origin == row.origin for found in written_objects(project, row.code)):
        return False
    adders = (call.receiver for call in row.code.nodes(ops.Call) if call.method == "append")
    held = (list_.origin for list_ in adders if list_ is not None and isinstance(list_.origin.op, ops.Attr))
    return any(node.to(node.op.base).origin == row.origin for node in held if isinstance(node.op, ops.Attr))


def _is_bound(project: Project, form: Node) -> bool:
    """Whether a form or serializer is made for a row that is there: named, or given first."""
    first = form.arg(0, "instance")
    return form.arg(None, "instance") is not None or (first is not None and touched_table(project, first) is not None)


def how(verb: str) -> How:
    """What a method, or a word of SQL, does to rows."""
    lowered = verb.lower()
    if "delete" in lowered:
        return "delete"
    return "update" if re.search(r"update|save|replace_one|merge", lowered) and "or_create" not in lowered else "insert"


def _named(table: Table | None, node: Node | None) -> str:
    if table is not None:
        return table.model.rpartition(".")[2] or table.name
    return node.spelled if node is not None else ""


def _is_session(project: Project, node: Node) -> bool:
    names = {owner for name in project.types(node) for owner in project.lineage(split(name)[0])}
    return bool(names & project.models.kinds["orm-sessions"]) or (
        not names and bool(re.search(r"(^|\.)(db\.)?session$|^db$", node.spelled))
    )


def _document(project: Project, node: Node) -> str:
    """The class of a document of an object-document mapper, or of what stands for the class; empty for others."""
    bases = project.models.kinds.get("document-bases", frozenset())
    classes = list(filter(None, chain.from_iterable(map(split, project.types(node)))))
    found = (cls for cls in classes if not bases.isdisjoint(project.lineage(cls)))
    return next(found, "").rpartition(".")[2]


def _is_form(project: Project, node: Node) -> bool:
    kinds = project.models.kinds
    known = kinds.get("forms", frozenset()) | kinds.get("schemas", frozenset())
    return any(not known.isdisjoint(project.lineage(split(name)[0])) for name in project.types(node))


def collection_name(project: Project, call: Node) -> str:
    """The collection, or class of documents, that a call of a document store asks; empty for other calls."""
    receiver = call.receiver
    if receiver is None:
        return ""
    of_driver = any("ollection" in name for name in project.types(receiver))
    return _document(project, receiver) or ((stored_name(project, receiver) or receiver.spelled) if of_driver else "")
