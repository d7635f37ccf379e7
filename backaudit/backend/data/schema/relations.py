"""Relations between mapped classes, as SQLAlchemy's ``relationship`` and SQLModel's ``Relationship`` declare them."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.data.schema.tables import Relation
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.project.declarations import annotation_of, items, text, told_of


def relations(project: Project, attribute: str, call: Node, bind: Node) -> Iterator[Relation]:
    """What a declaration says of its own side, and of the other by ``backref``."""
    annotation = annotation_of(bind)
    declared = project.annotated(annotation) if annotation is not None else ()
    target = _target_class(project, call, declared)
    if not target:
        return
    lazy = text(project, _option(project, call, "lazy"))
    keys = _option(project, call, "foreign_keys")
    hint = _column_named(project, keys) if keys is not None else ""
    many = any(name.startswith(("list[", "builtins.list", "builtins.set")) for name in declared)
    uselist = _option(project, call, "uselist")
    eager = lazy in project.models.kinds["eager-values"] or _is_false(_option(project, call, "lazy"))
    between = call.argument(("secondary", "link_model"))
    secondary, link = between is not None, _link(project, between) if between is not None else ""
    yield Relation(
        name=attribute,
        target=target,
        column=hint,
        many=(many or secondary) and not (uselist is not None and uselist.const is False),
        eager=eager,
        dynamic=lazy in ("dynamic", "write_only"),
        cascades=_removes(project, call) and not _is_passive(project, call),
        removes=_removes(project, call),
        passive=_is_passive(project, call),
        remote="*" if secondary else "",
        link=link,
        upwards=_option(project, call, "remote_side") is not None,
    )
    backref = call.arg(None, "backref")
    if backref is not None:
        yield _backwards(project, backref, target, secondary, link)


def _backwards(project: Project, backref: Node, target: str, secondary: bool, link: str) -> Relation:
    """What a ``backref``, a name or a call, says of the other side."""
    named = text(project, backref) or text(project, backref.arg(0) if backref.call is not None else None)
    told = backref.call is not None
    lazy = text(project, _option(project, backref, "lazy")) if told else ""
    return Relation(
        name=f"<{named}",
        target=target,
        many=secondary,
        eager=lazy in project.models.kinds["eager-values"],
        dynamic=lazy == "dynamic",
        removes=told and _removes(project, backref),
        passive=told and _is_passive(project, backref),
        remote="*" if secondary else "",
        link=link,
        upwards=told and _option(project, backref, "remote_side") is not None,
    )


def _option(project: Project, call: Node, name: str) -> Node | None:
    """What a relation is declared with: a keyword, or in the mapping of those that are handed on."""
    handed = (told_of(call.arg(None, keyword), name) for keyword in sorted(project.models.kinds["relation-options"]))
    return call.arg(None, name) or next((found for found in handed if found is not None), None)


def _column_named(project: Project, given: Node) -> str:
    """The (first) column that ``foreign_keys`` names, as an attribute or in a text: ``"[User.made_by]"``."""
    first = next(iter(items(given)), given)
    written = text(project, first).strip("[] ").partition(",")[0] or first.spelled
    return written.rpartition(".")[2]


def _link(project: Project, between: Node) -> str:
    """The table between two, by its name or the name of its class; quoted, called later, or as it is."""
    if isinstance(between.origin.op, ops.Def):
        inside = between.code.file.code(between.origin.op.function)
        between = next(iter(inside.nodes(ops.Name)), between)
    for cls in project.denoted_classes(between):
        return cls.name
    made = project.resolved(between)
    name = made.arg(0, "name") if made.method == "Table" else None
    return text(project, name if name is not None else between)


def _removes(project: Project, call: Node) -> bool:
    """Whether deleting a row deletes those related to it."""
    words = text(project, _option(project, call, "cascade")).replace(" ", "").split(",")
    return bool({"delete", "all"} & set(words))


def _is_passive(project: Project, call: Node) -> bool:
    """Whether those that are not loaded are left to the database, instead of being loaded and changed one by one."""
    passive = _option(project, call, "passive_deletes")
    return passive is not None and passive.const is not False


def _is_false(node: Node | None) -> bool:
    """Whether it is ``lazy=False``, the older spelling of joined loading."""
    return node is not None and node.const is False


def _target_class(project: Project, call: Node, declared: tuple[str, ...]) -> str:
    first = call.arg(0, "argument")
    if first is not None:
        named = text(project, first)
        if named:
            return named
        for cls in project.denoted_classes(first):
            return cls.name
        if isinstance(first.origin.op, ops.Def):
            inside = first.code.file.code(first.origin.op.function)
            return next((n.spelled for n in inside.nodes(ops.Name)), "")
    over = [name.removeprefix("list[").removesuffix("]") for name in declared]
    return next((name for name in over if project.class_named(name) is not None), "") or _quoted(call)


def _quoted(call: Node) -> str:
    """The class in a quoted annotation of the same declaration (``Mapped[list["Post"]]``)."""
    for node in call.code.nodes(ops.Bind):
        op = node.op
        if isinstance(op, ops.Bind) and call.code.origin(op.value) == call.value and op.annotation >= 0:
            return next((n.text for n in _inside(call.code.node(op.annotation)) if n.text), "")
    return ""


def _inside(node: Node) -> Iterator[Node]:
    yield node
    op = node.origin.op
    parts: tuple[int, ...] = ()
    if isinstance(op, ops.Item):
        parts = (op.key,)
    elif isinstance(op, ops.Build):
        parts = op.items
    elif isinstance(op, ops.Bin):
        parts = (op.left, op.right)
    for part in parts:
        yield from _inside(node.origin.to(part))
