"""What a value is: the classes it may be an instance of, or the class, function or module it denotes.

The answer is a sorted tuple of *type names*:

``app.models.User``         an instance of that class (a project's or a library's)
``list[app.models.User]``   a collection of them; any ``X[Y]`` is an X over Ys, a mapping one over its values
``pair[app.models.User]``   one of them, and a word about it (``row, created = …get_or_create()``)
``type[app.models.User]``   the class itself
``def[app.views.index]``    a function of the project (a bound method too)
``module[app.models]``      a module of the project
``ext[flask.request]``      a library's name that no table says more of
``each{app.Base.model}``    an instance of the class that a generic service is about, see :mod:`.generic`
``super[app.models.User]``  what ``super()`` is in that class

Tables (:class:`Knowledge`) use the same notation, with ``$self`` (the receiver), ``$T`` (what the receiver is over),
``$0`` (the class that the first argument denotes), ``$call0`` (what calling the first argument gives), ``$arg0`` and
``$arg0[]`` (what the first argument is, or an element of it), ``$row0`` (what the statement passed first selects),
``$class`` (the class the attribute is read from) and ``$named`` (the class whose name the arguments spell: ``"Order"``,
``"shop", "Order"``, ``"shop.Order"``; ``$named0``: by the first alone), ``$keyword(NAME)`` (what that argument is). A
call that a keyword makes another thing has it in its name: ``relationship(lazy=dynamic)``. What the project itself has
said stands there as ``$registered(NAME)`` (what the function gives that it registered by a library's decorator), as
``$setting(NAME, CLASS)`` (the class that its setting names, else that of the library), as ``$bound(NAME, …)`` (what
those calls gave a container for the class that it is asked for), and as ``$given(METHOD, N)`` (what the project's own
methods of that name return in a place of a tuple).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias

from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.project.classes import ClassView
from backaudit.project.code import Code
from backaudit.project.generic import filled, is_open, supplied
from backaudit.project.nodes import Node
from backaudit.project.passed import argument_types
from backaudit.project.solving import Solver
from backaudit.project.told import bound, implementing, registered, set_classes, spelled_classes

if TYPE_CHECKING:
    from backaudit.project import Project

Types = tuple[str, ...]
_Handler: TypeAlias = "Callable[[TypeResolver, Node, Any], Iterable[str]]"

# A question that is none about a value: ``names`` of a node, ``kept`` in an attribute, ``returned`` by a body.
_Other: TypeAlias = "tuple[str, Any, str]"
_Question: TypeAlias = "Node | _Other"

# What says no more: collections of collections of collections …, values that may be anything, names that grow with a
# chain of calls nobody knows.
_MOST_NESTED = 4
_MOST_TYPES = 64
_MOST_ALIASES = 8
_MOST_PARTS = 16
_WRAPPERS = {
    "typing.Optional", "typing.Union", "typing.Annotated", "typing.Final", "typing.ClassVar", "typing.Required",
    "typing.NotRequired", "typing.Awaitable", "types.UnionType",
}  # fmt: skip
_ANYTHING = ("ext[typing.Any]", "typing.Any", "builtins.object")
_COLLECTIONS = {
    "builtins.list", "builtins.set", "builtins.tuple", "builtins.frozenset", "typing.List", "typing.Set",
    "typing.Tuple", "typing.Sequence", "typing.Iterable", "typing.Iterator", "typing.Generator", "typing.FrozenSet",
    "typing.AsyncGenerator", "typing.AsyncIterator", "typing.Collection", "collections.abc.Sequence",
    "collections.abc.Iterable", "collections.abc.Iterator", "collections.abc.Generator",
    "collections.abc.AsyncGenerator", "collections.abc.AsyncIterator", "collections.abc.Collection",
    "collections.abc.Set",
}  # fmt: skip


# What a project tells, in a type that a table notes.
_TOLD = ("$registered(", "$setting(", "$given(")


@lru_cache(maxsize=1 << 16)
def split(name: str) -> tuple[str, str]:
    """``X[Y]`` as (X, Y); ``X`` as (X, "")."""
    head, bracket, rest = name.partition("[")
    return (head, rest[:-1]) if bracket else (name, "")


def nested(head: str, name: str) -> str:
    """The type of a ``head`` of ``name``; one that is nested too deeply stays what it is."""
    return name if name.count("[") >= _MOST_NESTED else f"{head}[{name}]"


def _is_class(name: str) -> bool:
    """Whether what has this type is a class: the project's own, or a library's by the way its name is written."""
    head, over = split(name)
    return head == "type" or (head == "ext" and over.rpartition(".")[2][:1].isupper())


def is_property(project: Project, method: Code) -> bool:
    """Whether a method is run by reading an attribute of its name."""
    names = {name.rpartition(".")[2] for decorator in method.decorators for name in project.names(decorator)}
    return not names.isdisjoint(("property", "cached_property", "hybrid_property"))


class TypeResolver:
    """Answers for one project, each question once."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._solver: Solver[_Question, str] = Solver(self._answer, _place, project.steps)
        self._known = self._solver.known

    def of(self, node: Node) -> Types:
        """The type names of a value; empty where nothing is known."""
        found = self._known.get(node)
        return self._solver.ask(node) if found is None else found

    def names(self, node: Node) -> tuple[str, ...]:
        """See :meth:`Project.names`."""
        return self._solver.ask(("names", node, ""))

    @property
    def guesses(self) -> int:
        """How often an answer was given that may still change: what was made of one must not be kept."""
        return self._solver.guesses

    @property
    def steps(self) -> int:
        """How many answers were computed."""
        return self._solver.steps

    def _answer(self, question: _Question) -> Types:
        if isinstance(question, Node):
            return self._few(question, self._compute(question))
        kind, of, attr = question
        if kind == "names":
            return tuple(dict.fromkeys(self._project.spelled_names(of)))
        return _sorted(self._kept(of, attr) if kind == "kept" else self._returned(of))

    def _few(self, node: Node, names: Iterable[str]) -> Types:
        found = tuple(sorted({name for name in names if name}))
        return tuple(self._project.bounded(found, _MOST_TYPES, node.place, "types that this may have"))

    def _compute(self, node: Node) -> Iterable[str]:
        op = node.op
        handler: _Handler | None = _HANDLERS.get(type(op))
        return handler(self, node, op) if handler is not None else ()

    # -- operations ------------------------------------------------------------------------------------------------

    def _const(self, node: Node, op: ops.Const) -> Iterable[str]:
        value = op.value
        if isinstance(value, str):
            return ("builtins.bytes",) if op.binary else ("builtins.str",)
        return () if value is None else (f"builtins.{type(value).__name__}",)

    def _build(self, node: Node, op: ops.Build) -> Iterable[str]:
        if op.kind == "fstring":
            return ("builtins.str",)
        if op.kind not in ("list", "tuple", "set"):
            return (f"builtins.{op.kind}",)
        inner = _sorted(name for item in op.items for name in self.of(node.to(item)))
        # What is known of some items says nothing of the others: who asks whether all are harmless has to hear that.
        written = bool(op.items) and all(isinstance(node.to(item).op, ops.Const) for item in op.items)
        return (*(nested("list", name) for name in inner), *(() if written else (f"builtins.{op.kind}",)))

    def _comp(self, node: Node, op: ops.Comp) -> Iterable[str]:
        return (
            ("builtins.dict",) if op.kind == "dict" else [nested("list", name) for name in self.of(node.to(op.value))]
        )

    def _bind(self, node: Node, op: ops.Bind) -> Iterable[str]:
        if op.annotation != NONE:
            declared = self.annotation(node.to(op.annotation))
            if declared:
                return declared
        return self.of(node.to(op.value))

    def _same(self, node: Node, op: ops.Await) -> Iterable[str]:
        return self.of(node.to(op.value))

    def _enter(self, node: Node, op: ops.Enter) -> Iterable[str]:
        generators = self._project.models.kinds["generator-annotations"]
        for name in self.of(node.to(op.value)):
            head, over = split(name)
            known = self._project.knowledge.returns.get(f"{head}.__enter__")
            if known:
                yield from self._instantiate(known, name, node)
            elif head == "list" or (over and head.rpartition(".")[2] in generators):
                yield over
            else:
                yield name

    def _phi(self, node: Node, op: ops.Phi) -> Iterable[str]:
        return (name for value in op.values for name in self.of(node.to(value)))

    def _choice(self, node: Node, op: ops.Choice) -> Iterable[str]:
        return (*self.of(node.to(op.then)), *self.of(node.to(op.other)))

    def _logic(self, node: Node, op: ops.Logic) -> Iterable[str]:
        return (name for value in op.values for name in self.of(node.to(value)))

    def _binary(self, node: Node, op: ops.Bin) -> Iterable[str]:
        left = self.of(node.to(op.left))
        if op.operator == "/":
            joined = self._project.knowledge.returns
            return [joined[f"{name}.__truediv__"] for name in left if f"{name}.__truediv__" in joined]
        return [name for name in left if name in ("builtins.str", "builtins.bytes")]

    def _element(self, node: Node, op: ops.Element) -> Iterable[str]:
        for name in self.of(node.to(op.base)):
            head, over = split(name)
            known = self._project.knowledge.returns.get(f"{head}.__iter__")
            if known:
                yield from self._instantiate(known, name, node)
            elif over and head not in ("def", "module", "ext") and not self._is_mapping(head):
                yield over  # what goes over a class gets its members: an enumeration's, a model's rows

    def _part(self, node: Node, op: ops.Part) -> Iterable[str]:
        return self._at(node, node.to(op.base), op.index)

    def _at(self, node: Node, base: Node, index: int) -> Iterable[str]:
        """The types of what stands in one place: of a display, of a pair that a call gives, of any other sequence."""
        display = base.origin.op
        placed = _placed(base.origin, index)
        if placed is not None:
            return self.of(placed)
        if isinstance(display, ops.Element):
            paired = self._paired(base.origin.to(display.base).origin, index)
            if paired is not None:
                return paired
        pairs = [split(name)[1] for name in self.of(base) if name.startswith("pair[")]
        if pairs:
            return pairs if index == 0 else ("builtins.bool",)
        return self._element(node, ops.Element(base.at, base.value)) if base.code is node.code else ()

    def _paired(self, call: Node, index: int) -> Iterable[str] | None:
        """Of an element of ``enumerate(a)``, ``zip(a, b)`` or ``a.items()``: what stands in one place; else None."""
        called = self.of(call.to(call.call.func)) if call.call is not None else ()
        if called == ("ext[builtins.enumerate]",):
            return ("builtins.int",) if index == 0 else self._elements(call.arg(0, "iterable"))
        if called == ("ext[builtins.zip]",) and index >= 0:
            return self._elements(call.arg(index))
        return self._values(call.receiver) if call.method == "items" and call.receiver and index == 1 else None

    def _values(self, mapping: Node) -> Iterable[str] | None:
        """What the values of a mapping are; None of anything else, and where nothing is said of them."""
        known = [split(name) for name in self.of(mapping)]
        return [over for head, over in known if over and self._is_mapping(head)] or None

    def _elements(self, of: Node | None) -> Iterable[str]:
        return () if of is None else self._element(of, ops.Element(of.at, of.value))

    def _item(self, node: Node, op: ops.Item) -> Iterable[str]:
        found = list(self._of_item(node, op))
        return found or (self._shared(node) if node.to(op.key).text is not None else ())

    def _of_item(self, node: Node, op: ops.Item) -> Iterable[str]:
        keys = node.to(op.key).keys
        display = node.to(op.base).origin.op
        if len(keys) == 1 and isinstance(keys[0], int) and isinstance(display, ops.Build) and display.kind != "dict":
            yield from self._at(node, node.to(op.base), keys[0])
            return
        for name in self.of(node.to(op.base)):
            head, over = split(name)
            known = self._project.knowledge.returns.get(f"{over if head == 'ext' else head}.__getitem__")
            if known:
                yield from self._instantiate(known, name, node)
            elif head == "pair":
                yield from (over,) if keys == (0,) else ()
            elif head == "list" or f"{head}.__iter__" in self._project.knowledge.returns:
                sliced = isinstance(node.to(op.key).op, ops.Build)
                yield from [name] if sliced else self._element(node, ops.Element(op.at, op.base))
            elif over and self._is_mapping(head):
                yield over
            elif head == "type" or head == "ext":
                yield from self.annotation(node)

    def _def(self, node: Node, op: ops.Def) -> Iterable[str]:
        return (f"def[{node.code.file.code(op.function).key}]",)

    def _class(self, node: Node, op: ops.ClassDef) -> Iterable[str]:
        return (f"type[{node.code.file.class_view(op.cls).name}]",)

    def _import(self, node: Node, op: ops.Import) -> Iterable[str]:
        return self._project.imported(node.code.file, op.module, op.name, op.level)

    def _name(self, node: Node, op: ops.Name) -> Iterable[str]:
        return self._lookup(node.code, op.name)

    def _lookup(self, code: Code, name: str) -> Iterable[str]:
        scope = code.enclosing if code.function.kind != "module" else code
        while scope is not None:
            value = scope.body.final.get(name)
            if value is not None:
                return self.of(scope.node(value))
            scope = scope.enclosing
        star = self._project.starred(code.file, name)
        return star or (f"ext[builtins.{name}]",)

    def _param(self, node: Node, op: ops.Param) -> Iterable[str]:
        code = node.code
        param = code.function.params[op.index]
        annotation = code.outside(param.annotation)
        declared = self.annotation(annotation) if annotation is not None else ()
        if declared:
            return self._collected(param.kind, declared)
        if op.index == 0 and code.cls is not None and param.kind in ("positional", "normal"):
            return self._self_types(code, code.cls)
        default = code.outside(param.default)
        told = (self.of(default) if default is not None else ()) or self._project.assumed(code, param.name)
        given = told or tuple(argument_types(self._project, code, op.index))
        return given or self._project.assumed_alone(code, param.name)

    def _collected(self, kind: str, declared: Types) -> Iterable[str]:
        if kind == "star":
            return [nested("list", name) for name in declared]
        return ("builtins.dict",) if kind == "dstar" else declared

    def _self_types(self, code: Code, cls: ClassView) -> Iterable[str]:
        names = {name for decorator in code.decorators for name in self._project.names(decorator)}
        if "builtins.staticmethod" in names:
            return ()
        return (f"type[{cls.name}]",) if "builtins.classmethod" in names else (cls.name,)

    def _attr(self, node: Node, op: ops.Attr) -> Iterable[str]:
        found = [kind for name in self.of(node.to(op.base)) for kind in self.attribute(name, op.name, node)]
        # Of a library's object nothing but the name may be known, though the project has put something there.
        kept = list(self._shared(node)) if all(split(kind)[0] == "ext" for kind in found) else []
        yield from kept or found

    def _shared(self, node: Node) -> Iterator[str]:
        """The types of what is kept on an application or request under the name by which it is read."""
        for value in self._project.shared_values(node):
            yield from self.of(value)

    def attribute(self, name: str, attr: str, node: Node) -> Iterable[str]:
        """The types of ``.attr`` on something of type ``name``."""
        head, over = split(name)
        if head == "module":
            return self._project.member(over, attr)
        if head == "ext":
            return self._external(f"{over}.{attr}", name, node)
        if head == "super":
            return self._above(over, attr)
        cls_name = over if head == "type" else head
        cls = self._project.class_named(cls_name)
        if cls is None:
            # Of a class that is open, what the project declares for all that it may be.
            cls = next(iter(self._project.lineage_views(cls_name)), None)
        if cls is not None:
            return self._class_attribute(cls, attr, head == "type", name, node)
        return self._library_attribute(self._project.lineage(cls_name), attr, name, node)

    def _above(self, cls_name: str, attr: str) -> Iterable[str]:
        cls = self._project.class_named(cls_name)
        for owner in self._project.after(cls) if cls is not None else ():
            view = self._project.class_named(owner)
            if view is not None and attr in view.methods:
                return (f"def[{view.methods[attr].key}]",)
        return ()

    def _class_attribute(self, cls: ClassView, attr: str, on_class: bool, name: str, node: Node) -> Iterable[str]:
        for view in self._project.lineage_views(cls.name):
            method = view.methods.get(attr)
            if method is not None:
                return self._method(method)
            if attr in view.fields or attr in view.assigned:
                kept = self._narrowed(self._solver.ask(("kept", view, attr)), [*supplied(self._project, view, attr)])
                return [given for each in kept for given in self._hung(each, cls.name)] if on_class else kept
            if attr in view.inner:
                return (f"type[{view.inner[attr].name}]",)
        return self._library_attribute(self._project.lineage(cls.name), attr, name, node)

    def _narrowed(self, kept: Types, about: list[str]) -> list[str]:
        """What a class keeps, and what it is about: a class that is declared there says less than its heirs do."""
        above = {f"type[{name}]" for given in about for name in self._project.lineage(given[5:-1])[1:]}
        return [*(name for name in kept if name not in above), *about]

    def _hung(self, name: str, owner: str) -> Iterator[str]:
        """A type of what hangs on a class: what asks for the rows of the class is over it, and what it gives, too."""
        if not self._asks_for_rows(name):
            yield name
            return
        yield nested(name, owner)
        for begins in self._project.models.kinds["manager-queries"]:
            method = self._project.method(name, begins)
            given = self.returned(method) if method is not None else ()
            yield from (nested(each, owner) for each in given if each != name and self._asks_for_rows(each))

    def _asks_for_rows(self, name: str) -> bool:
        """Whether a type is one of managers and queries that does not say of what."""
        return "[" not in name and self._project.inherits(name, *self._project.models.kinds["model-managers"])

    def _kept(self, view: ClassView, attr: str) -> Iterator[str]:
        """What the body and the methods of a class give an attribute."""
        if attr in view.fields:
            yield from self.of(view.fields[attr])
        for store in view.assigned.get(attr, ()):
            op = store.op
            assert isinstance(op, ops.SetAttr)
            declared = self.annotation(store.to(op.annotation)) if op.annotation != NONE else ()
            yield from declared or self.of(store.to(op.value))

    def _method(self, method: Code) -> Iterable[str]:
        if is_property(self._project, method):
            return self.returned(method)
        return (f"def[{method.key}]",)

    def _library_attribute(self, owners: Iterable[str], attr: str, name: str, node: Node) -> Iterable[str]:
        attributes = self._project.knowledge.attributes
        for owner in owners:
            known = attributes.get(f"{owner}.{attr}") or attributes.get(f"{owner}.*")
            if known:
                return list(self._instantiate(known, name, node))
        return ()

    def _external(self, dotted: str, name: str, node: Node) -> Iterable[str]:
        dotted = self._project.knowledge.known_as(dotted)
        known = self._project.knowledge.attributes.get(dotted)
        if known:
            return list(self._instantiate(known, name, node))
        return (f"ext[{dotted}]",) if dotted.count(".") < _MOST_PARTS else ()

    # -- calls -----------------------------------------------------------------------------------------------------

    def _call(self, node: Node, op: ops.Call) -> Iterable[str]:
        func = node.to(op.func)
        if node.method == "super" and self.of(func) == ("ext[builtins.super]",):
            return self._super_of(node.to(op.args[0])) if op.args else self._super(node)
        known = self._known_result(node, func)
        if known:
            return known
        return self._made_over(func) or [result for name in self.of(func) for result in self._result(name, node)]

    def _made_over(self, func: Node) -> Types:
        """``Repository[User](…)``: an object of a generic class that is told here what it is over."""
        op = func.origin.op
        bases = self.of(func.origin.to(op.base)) if isinstance(op, ops.Item) else ()
        return self.of(func) if bases and all(_is_class(name) for name in bases) else ()

    def _super(self, node: Node) -> Iterable[str]:
        """The nearest class above that has what ``super()`` is asked for; all of them are told of, in their order."""
        scope: Code | None = node.code
        while scope is not None and scope.cls is None:
            scope = scope.enclosing
        return () if scope is None or scope.cls is None else (f"super[{scope.cls.name}]",)

    def _super_of(self, cls: Node) -> Iterable[str]:
        """The same where the class is written out (``super(Order, self)``)."""
        return (f"super[{over}]" for head, over in map(split, self.of(cls)) if head == "type")

    def _known_result(self, node: Node, func: Node) -> list[str]:
        receiver = node.receiver
        receivers = self.of(receiver) if receiver is not None else ()
        for name in self._project.names(func):
            known = self._said_of_call(name, node)
            if known:
                owners = receivers or ("",)
                return [result for owner in owners for result in self._instantiate(known, owner, node)]
        return []

    def _said_of_call(self, name: str, node: Node) -> str:
        """What the tables say of a call; where an argument makes it another thing, that of the argument."""
        returns = self._project.knowledge.returns
        told = (f"{name}({key}={value.text})" for key, value in node.keywords().items() if value.text is not None)
        return next((returns[form] for form in told if form in returns), returns.get(name, ""))

    def _result(self, name: str, node: Node) -> Iterable[str]:
        head, over = split(name)
        if _is_class(name):
            return (over,)
        if head == "def":
            code = self._project.function_named(over)
            return (self._returned_to(code, node) or self._passed_on(code, node)) if code is not None else ()
        called = self._project.knowledge.returns.get(f"{head}.__call__")
        return self._instantiate(called, name, node) if called else ()

    def _returned_to(self, code: Code, call: Node) -> Iterable[str]:
        """What a function gives to a call: of a generic service what is of the receiver's own class."""
        found = self._over_rows(self.returned(code), call)
        receiver = call.receiver if any(map(is_open, found)) else None
        known = [split(name) for name in self.of(receiver)] if receiver is not None else []
        classes = [self._project.class_named(over if head == "type" else head) for head, over in known]
        if len(classes) != 1 or classes[0] is None:
            return found
        return [given for name in found for given in filled(self._project, name, classes[0])]

    def _over_rows(self, found: Types, call: Node) -> Types:
        """What a method of a manager or query gives, over the rows that its receiver is over."""
        open_ones = list(filter(self._asks_for_rows, found))
        rows = self._rows_of(call.receiver) if open_ones and call.receiver is not None else []
        closed = [nested(name, over) for name in open_ones for over in rows]
        return _sorted([*closed, *set(found).difference(open_ones)]) if closed else found

    def _rows_of(self, manager: Node) -> list[str]:
        """What a manager or query is over."""
        known = map(split, self.of(manager))
        return [over for head, over in known if over and self._asks_for_rows(head)]

    def _passed_on(self, code: Code, node: Node) -> Iterable[str]:
        """What a library names by the texts that the function passes on to it: the project's own ``get_model``."""
        wrapped = self._project.knowledge.returns.get(f"*.{code.function.name}", "")
        if wrapped:
            yield from self._fill(wrapped, "", node)
        for op in code.ops:
            made = code.node(op.value).origin if isinstance(op, ops.Return) and op.value != NONE else None
            if made is None or made.call is None or made.func is None:
                continue
            for name in self._project.names(made.func):
                known = self._project.knowledge.returns.get(name, "")
                if "$named" in known:
                    yield from self._fill(known, "", node)

    def returned(self, code: Code) -> Types:
        """What a call of a project's function gives: its annotation, else what it returns or yields."""
        return self._solver.ask(("returned", code, ""))

    def _returned(self, code: Code) -> Iterable[str]:
        declared = code.outside(code.function.returns)
        types = self.annotation(declared) if declared is not None else ()
        if types and not _COLLECTIONS.issuperset(types):
            return types
        found = list(types)  # ``-> tuple`` does not say of what
        for node in code.results:
            assert isinstance(node.op, (ops.Return, ops.Yield))
            given = self.of(node.to(node.op.value))
            found += given if isinstance(node.op, ops.Return) else [nested("list", name) for name in given]
        return found

    # -- annotations -----------------------------------------------------------------------------------------------

    def annotation(self, node: Node) -> Types:
        """The types that a value has whose annotation is ``node``."""
        return _sorted(self._annotated(node, 0))

    def _annotated(self, node: Node, depth: int) -> Iterator[str]:
        if self._project.gives_up(depth, _MOST_ALIASES, node.place):
            return
        for part in alternatives(node):
            if isinstance(part.op, ops.Item):
                yield from self._generic(part, part.op, depth)
            else:
                yield from self._plain_annotation(part, depth)

    def _plain_annotation(self, node: Node, depth: int) -> Iterator[str]:
        alias = self._project.alias_of(node)
        if alias is not None and alias != node:
            yield from self._annotated(alias, depth + 1)
            return
        for name in self.of(node):
            head, inner = split(name)
            # ``Any`` says nothing: what is known by convention or from a default counts.
            if head in ("type", "ext") and inner != "typing.Any":
                yield inner

    def _generic(self, node: Node, op: ops.Item, depth: int) -> Iterator[str]:
        key = node.to(op.key)
        made = key.op
        inside = [node.to(item) for item in made.items] if isinstance(made, ops.Build) else [key]
        names = set(self._project.names(node.to(op.base)))
        if "typing.Annotated" in names:
            inside = inside[:1]
        if names & _WRAPPERS or names & self._project.models.kinds["transparent-types"]:
            for part in inside:
                yield from self._annotated(part, depth + 1)
            return
        if any(name.rpartition(".")[2] in ("Type", "type") for name in names):
            yield from (f"type[{name}]" for part in inside for name in self._annotated(part, depth + 1))
            return
        heads = ["list"] if names & _COLLECTIONS else [split(n)[1] or n for n in self.of(node.to(op.base))]
        over = self._over(heads, inside, depth)
        for head in heads:
            yield from (nested(head, name) for name in over) if over else (head,)

    def _over(self, heads: list[str], inside: list[Node], depth: int) -> list[str]:
        """What an annotation's classes are over: its first part, for a mapping the second."""
        told = inside[1:2] if any(map(self._is_mapping, heads)) else inside[:1]
        found = (name for part in told for name in self._annotated(part, depth + 1))
        return [name for name in found if name not in _ANYTHING]

    def _is_mapping(self, head: str) -> bool:
        """Whether a type is that of mappings, which are over their values: going through one gives its keys."""
        return head.rpartition(".")[2] in self._project.models.kinds["mapping-annotations"]

    def _instantiate(self, pattern: str, receiver: str, node: Node) -> Iterator[str]:
        """Fill a table's type notation in for one use."""
        for part in pattern.split("|"):
            yield from self._fill(part.strip(), receiver, node)

    def _fill(self, part: str, receiver: str, node: Node) -> Iterator[str]:
        if any(mark in part for mark in _TOLD):
            yield from self._told(part)
        elif part.startswith("$bound("):
            yield from self._bound(part, node)
        elif part.startswith("$keyword("):
            given = node.arg(None, part[len("$keyword(") : -1])
            yield from self.of(given) if given is not None else ()
        elif part == "$self":
            yield receiver
        elif "$call0" in part:
            yield from self._of_result(part, node)
        elif "$arg" in part:
            yield from self._of_argument(part, node)
        elif "$T" in part or "$class" in part:
            yield from _of_receiver(part, self._told_over(receiver) if "$T" in part else receiver)
        else:
            yield from self._of_classes(part, node)

    def _told_over(self, receiver: str) -> str:
        """The type of a receiver with what it is over, as its class may say: ``class Users(Repository[User])``."""
        head, over = split(receiver)
        if over or self._project.class_named(head) is None:
            return receiver
        told = chain.from_iterable(view.bases for view in self._project.lineage_views(head))
        subscribed = (base for base in told if isinstance(base.origin.op, ops.Item))
        parts = map(split, chain.from_iterable(map(self.annotation, subscribed)))
        found = next((over for base, over in parts if over and self._project.class_named(base) is None), "")
        return nested(head, found) if self._project.class_named(found) is not None else receiver

    def _of_result(self, part: str, node: Node) -> Iterator[str]:
        """``$call0`` is what calling the first argument gives."""
        results = self._result_of_first(node)
        yield from results if part == "$call0" else (_filled(part, "$call0", name) for name in results)

    def _of_classes(self, part: str, node: Node) -> Iterator[str]:
        """What a part says of the classes that are handed over; itself if it says nothing of them."""
        if "$row0" in part:
            yield from self._rows(part, node)
        elif "$named0" in part:
            first = node.arg(0)
            spelled = spelled_classes(self._project, first.text) if first is not None and first.text else ()
            yield from (part.replace("$named0", cls.name) for cls in spelled)
        elif "$named" in part:
            yield from (part.replace("$named", cls.name) for cls in self._spelled(node))
        elif "$0" in part:
            yield from self._first_class(part, node)
        else:
            yield part

    def _of_argument(self, part: str, node: Node) -> Iterator[str]:
        """``$arg0`` is what the first argument is; ``$arg0[]`` an element of it, ``list[$arg0[]]`` a list of those."""
        at = part.index("$arg") + 4
        given = node.arg(int(part[at]))
        whole = part[at + 1 : at + 3] != "[]"
        mark = part[at - 4 : at + (1 if whole else 3)]
        for name in self.of(given) if whole and given is not None else self._elements(given):
            yield _filled(part, mark, name)

    def _result_of_first(self, node: Node) -> Iterator[str]:
        """What calling the first argument (or the key) gives: dependency injection."""
        op = node.op
        first = node.to(op.key) if isinstance(op, ops.Item) else node.arg(0, "dependency")
        for name in self.of(first) if first is not None else ():
            head, over = split(name)
            known = self._project.knowledge.returns.get(over, "") if head == "ext" else ""
            for result in [known] if known and "$" not in known else self._result(name, node):
                head, over = split(result)
                yield over if over and head == "list" else result

    def _rows(self, part: str, node: Node) -> Iterator[str]:
        """What the statement passed first selects, where its type says; ``$row0?`` gives nothing where it does not."""
        first = node.arg(0)
        given = [split(name) for name in self.of(first) if "[" in name] if first is not None else []
        if "$row0?" in part:
            # Whoever runs it is not known: only the library's own statements are ones.
            yield from (part.replace("$row0?", over) for head, over in given if "." in head)
            return
        for name in [over for _, over in given] or [""]:
            yield part.replace("$row0", name) if name else split(part)[0] if part != "$row0" else ""

    def stated(self, pattern: str) -> Iterator[str]:
        """What a table says of a library's name wherever it stands: whole types, and what the project has said."""
        for part in pattern.split("|"):
            if "(" in part:
                yield from self._told(part.strip())
            elif part and "$" not in part:
                yield part.strip()

    def _told(self, part: str) -> Iterator[str]:
        """``$registered(NAME)`` or ``$setting(NAME, CLASS)``, alone or inside of ``type[…]``."""
        mark = part[part.index("$") : part.index(")") + 1]
        kind, _, named = mark[1:-1].partition("(")
        name, _, otherwise = (word.strip() for word in named.partition(","))
        if kind == "registered":
            found = [given for code in registered(self._project, name) for given in self.returned(code)]
        elif kind == "given":
            found = list(self._given_by(name, int(otherwise)))
        else:
            found = [cls.name for cls in set_classes(self._project, name)] or [otherwise]
        yield from (part.replace(mark, each) for each in found)

    def _given_by(self, name: str, index: int) -> Iterator[str]:
        """What the methods that stand for a library's return in one place of a tuple."""
        for code in implementing(self._project, name):
            for made in code.returned():
                placed = _placed(made.origin, index)
                yield from self.of(placed) if placed is not None else ()

    def _bound(self, part: str, node: Node) -> Iterator[str]:
        """What a container was given for the class that it is asked for, else an object of that class."""
        op = node.op
        asked = node.to(op.key) if isinstance(op, ops.Item) else node.arg(0)
        wanted = frozenset(name for name in (self.of(asked) if asked is not None else ()) if name.startswith("type["))
        names = [name.strip() for name in part[part.index("(") + 1 : -1].split(",")]
        given = bound(self._project, names, wanted) if wanted else ()
        found = [result for value in given for result in self._provided(value)]
        yield from found or [name[5:-1] for name in wanted]

    def _provided(self, value: Node) -> Iterator[str]:
        """What a class, a function or an object provides that stands in a container."""
        for name in self.of(value):
            head = split(name)[0]
            yield from self._result(name, value) if head in ("type", "def") else [name]

    def _spelled(self, node: Node) -> list[ClassView]:
        """The classes whose name the arguments spell."""
        texts = [argument.text for argument in node.args()[:2] if argument.text]
        return spelled_classes(self._project, ".".join(texts))

    def _first_class(self, part: str, node: Node) -> Iterator[str]:
        first = node.arg(0)
        denoted = self.of(first) if first is not None else ()
        classes = [over for head, over in map(split, denoted) if head == "type"]
        columns = [split(name)[1] for name in denoted if name.startswith("list[")]
        if not classes and not columns:
            yield split(part)[0] if part != "$0" else ""
        for over in [*classes, *columns]:
            yield part.replace("$0", over)


def _of_receiver(part: str, receiver: str) -> Iterator[str]:
    """``$T`` is what a receiver is over, ``$class`` the class that it is, or is an object of."""
    head, over = split(receiver)
    if "$T" not in part:
        yield part.replace("$class", over if head in ("type", "ext") else head)
    elif over:
        yield part.replace("$T", over)
    elif part != "$T":
        yield split(part)[0]


def alternatives(node: Node) -> Iterator[Node]:
    """The parts of ``A | B | C``, else the one annotation that it is."""
    waiting = [node]
    while waiting:
        part = waiting.pop().origin
        if isinstance(part.op, ops.Bin) and part.op.operator == "|":
            waiting += (part.to(part.op.right), part.to(part.op.left))
        else:
            yield part


def _filled(part: str, mark: str, name: str) -> str:
    """A table's notation with a type in the place of a mark."""
    return nested("list", name) if part == f"list[{mark}]" else part.replace(mark, name)


def _placed(display: Node, index: int) -> Node | None:
    """The item of a written tuple or list that stands in one place, if what is before it is written, too."""
    op = display.op
    if not isinstance(op, ops.Build) or op.kind not in ("tuple", "list") or not 0 <= index < len(op.items):
        return None
    items = [display.to(item) for item in op.items[: index + 1]]
    return None if any(_unpacks(item.op) for item in items) else items[-1]


def _unpacks(op: ops.Op) -> bool:
    """Whether an item of a display is ``*sequence``."""
    return isinstance(op, ops.Build) and op.kind == "slice"


def _sorted(names: Iterable[str]) -> Types:
    return tuple(sorted({name for name in names if name})[:_MOST_TYPES])


def _place(question: _Question) -> tuple[str, int, int, str, str]:
    """Where a question stands in the project, so that circles are worked off in one order."""
    if isinstance(question, Node):
        return (question.code.path, question.code.index, question.value, "", "")
    kind, of, attr = question
    if isinstance(of, Node):
        return (of.code.path, of.code.index, of.value, kind, attr)
    return (of.file.path, of.index, -1, kind, attr)


_HANDLERS: dict[type[ops.Op], _Handler] = {
    ops.Const: TypeResolver._const,
    ops.Build: TypeResolver._build,
    ops.Comp: TypeResolver._comp,
    ops.Bind: TypeResolver._bind,
    ops.Await: TypeResolver._same,
    ops.Enter: TypeResolver._enter,
    ops.Phi: TypeResolver._phi,
    ops.Choice: TypeResolver._choice,
    ops.Logic: TypeResolver._logic,
    ops.Bin: TypeResolver._binary,
    ops.Element: TypeResolver._element,
    ops.Part: TypeResolver._part,
    ops.Item: TypeResolver._item,
    ops.Def: TypeResolver._def,
    ops.ClassDef: TypeResolver._class,
    ops.Import: TypeResolver._import,
    ops.Name: TypeResolver._name,
    ops.Param: TypeResolver._param,
    ops.Attr: TypeResolver._attr,
    ops.Call: TypeResolver._call,
}
