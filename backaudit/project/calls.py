"""Which call runs which function of the project, and what it hands over: by name, by value, and by tables.

A call runs what its callee is known to be (``module.function()``, ``Class()``, a method of an object whose type is
known). Where the callee is a value (an entry of a dictionary, an argument, a ``partial``, what a factory returned), the
values behind it are looked up. And some calls hand a function over to be run later (``Thread(target=f, args=…)``,
``f.delay(…)``, ``map(f, xs)``): tables say where it and its arguments stand (:class:`Handover`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import msgspec

from backaudit.facts import ops
from backaudit.facts.python import VALUE_CALLS
from backaudit.project.code import Code
from backaudit.project.knowledge import Handover
from backaudit.project.nodes import ANY, Access, Node
from backaudit.project.objects import is_carried, methods_reached
from backaudit.project.solving import Solver
from backaudit.project.types import split
from backaudit.vocabulary.meaning import meaning

if TYPE_CHECKING:
    from backaudit.project import Project

# Method names that so many things have that one definition in the project proves nothing about a receiver.
COMMON = meaning("code", "common-method").names
KeyT = TypeVar("KeyT")
FoundT = TypeVar("FoundT")

_MANY = 40  # a value that may be more functions than this says nothing


class Passed(msgspec.Struct, frozen=True):
    """A value that is handed over, or its part ``access``."""

    node: Node
    access: Access = ()


class Given(msgspec.Struct, frozen=True):
    """What a function is called with, as the call would be written out. ``receiver``: the object of a bound method."""

    args: tuple[Passed, ...] = ()
    keywords: tuple[tuple[str, Passed], ...] = ()
    star: tuple[Passed, ...] = ()
    dstar: tuple[Passed, ...] = ()
    receiver: Node | None = None
    bound: bool = False

    def after(self, first: Given) -> Given:
        """The same call where ``first`` has filled the first arguments already (``partial``)."""
        receiver = self.receiver if first.receiver is None else first.receiver
        return Given(
            (*first.args, *self.args), (*self.keywords, *first.keywords), (*first.star, *self.star),
            (*self.dstar, *first.dstar), receiver, self.bound or first.bound,
        )  # fmt: skip


class Edge(msgspec.Struct, frozen=True):
    """A call may run ``code`` with ``given``; ``result``: what it gives is the call's own value, or its elements."""

    code: Code
    given: Given
    result: str = "value"


class Wrapping(msgspec.Struct, frozen=True):
    """What a decorator of the project puts in a function's place: ``inner``, which runs it by ``calls``.

    ``plain``: it hands its own arguments on as they are.
    """

    inner: Code
    calls: tuple[Node, ...]
    plain: bool


class _Decoration(msgspec.Struct, frozen=True):
    """A function of the project decorates what ``made`` defines."""

    decorator: Code
    made: Node


_NOTHING = Given()
# What is asked of values: the functions that one may be, and, of no value in particular, what decorates what. An answer
# of ``None`` alone is: more functions than say anything.
_Question: TypeAlias = Node | str
_Found: TypeAlias = Edge | _Decoration | None
_DECORATIONS = "decorations"


class Calls:
    """The call graph of one project, each question answered once."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._edges: dict[Node, tuple[Edge, ...]] = {}
        self._callees: dict[Node, tuple[Code, ...]] = {}
        self._callers: dict[Code, tuple[Node, ...]] = {}
        self._plainly_called: dict[Code, tuple[Node, ...]] = {}
        self._run: dict[tuple[str, Node], frozenset[Code]] = {}
        self._handovers: dict[Node, tuple[Edge, ...]] = {}
        self._solver: Solver[_Question, _Found] = Solver(self._answer, _place, project.steps)
        self._decorated: dict[str, dict[Code, list[Node]]] = {}
        self._wrappings: dict[Code, tuple[Wrapping, ...]] = {}
        self._wrapped: dict[str, dict[Code, list[Code]]] = {}
        self._methods: dict[Node, tuple[Code, ...]] = {}

    # -- forwards --------------------------------------------------------------------------------------------------

    def edges(self, call: Node) -> tuple[Edge, ...]:
        """The functions that a call runs at once."""
        call = call.origin
        found = self._edges.get(call)
        return self._settled(self._edges, call, lambda: self._found(call)) if found is None else found

    def callees(self, call: Node) -> tuple[Code, ...]:
        """The functions that a call runs at once, each once."""
        found = self._callees.get(call)
        if found is None:
            found = tuple(dict.fromkeys(edge.code for edge in self.edges(call)))
            if call.origin in self._edges:
                self._callees[call] = found
        return found

    def _found(self, call: Node) -> tuple[Edge, ...]:
        return tuple(dict.fromkeys(self._named(call))) or tuple(dict.fromkeys(self._valued(call)))

    def _settled(self, memory: dict[KeyT, FoundT], key: KeyT, compute: Callable[[], FoundT]) -> FoundT:
        """What ``compute`` finds, kept in a memory unless it was made of an answer that may still change."""
        guesses = self._solver.guesses
        with self._project.steps.apart():
            found = compute()
        if guesses == self._solver.guesses:
            memory[key] = found
        return found

    def _named(self, call: Node) -> Iterator[Edge]:
        """What the callee is known to be, else the methods of what its receiver may be."""
        found = list(self._plainly(call))
        yield from found
        func = call.func
        if not found and func is not None and self._is_on_unknown(func):
            given = written_arguments(call)
            for code in self._reached(func):
                yield Edge(code, _as_bound(given, func, self.binds(call, code)))

    def _plainly(self, call: Node) -> Iterator[Edge]:
        """What the callee is by its type, or by a name that only one method has."""
        func = call.func
        if func is None:
            return
        codes = list(self._denoted(func))
        target = func.origin.op
        if not codes and isinstance(target, ops.Attr) and self._is_on_unknown(func):
            only = self._project.only_method(target.name)
            codes = [] if only is None else [only]
        if codes:
            given = written_arguments(call)
            for code in codes:
                yield Edge(code, _as_bound(given, func, self.binds(call, code)))

    def _is_on_unknown(self, func: Node) -> bool:
        """Whether a callee is an attribute of something of no known type."""
        target = func.origin.op
        if not isinstance(target, ops.Attr):
            return False
        receiver = func.origin.to(target.base).origin
        return not self._project.types(receiver) or is_carried(self._project, receiver)

    def _reached(self, func: Node) -> tuple[Code, ...]:
        """The methods that are called on a receiver of no known type."""
        known = self._methods.get(func)
        return self._settled(self._methods, func, lambda: self._find_reached(func)) if known is None else known

    def _find_reached(self, func: Node) -> tuple[Code, ...]:
        name = func.origin.op.name if isinstance(func.origin.op, ops.Attr) else ""
        return tuple(methods_reached(self._project, func, self._before)) or self._project.family_methods(name)

    def _before(self, node: Node) -> Iterator[Node]:
        """The values that a value may be, one step back; of a call what the project's function returns."""
        yield from self._behind(node)
        func = node.func if isinstance(node.op, ops.Call) else None
        for edge in self.targets(func) if func is not None else ():
            if edge.code.function.name != "__init__" and not edge.code.function.is_generator:
                yield from edge.code.returned()

    def _denoted(self, func: Node) -> Iterator[Code]:
        """The functions that a callee is known to be by its type; a class's ``__init__`` for its construction."""
        project = self._project
        made = project.resolved(func)
        if isinstance(made.op, ops.Def):
            yield made.code.file.code(made.op.function)
            return
        for name in project.types(func):
            head, over = split(name)
            code = project.function_named(over) if head == "def" else None
            cls = project.class_named(over) if head == "type" else None
            if cls is not None:
                code = project.method(cls.name, "__init__")
            if code is not None:
                yield code
                yield from self._overrides(func, code)

    def _overrides(self, func: Node, code: Code) -> Iterator[Code]:
        """The methods of subclasses that may run instead, where the object may be of one of them."""
        op = func.origin.op
        if code.cls is None or not isinstance(op, ops.Attr) or code.function.name == "__init__":
            return
        receiver = func.origin.to(op.base).origin
        if self._is_made(receiver) and code.function.name != "__call__":
            return  # an object that is made here is of its own class
        if any(split(name)[0] == "super" for name in self._project.types(receiver)):
            return  # what stands above runs, whatever the object's class puts in its place
        found = [method for method in self._project.overriding(code) if self._may_be(receiver, method)]
        if len(found) <= _MANY:
            yield from found
        else:
            name = code.function.name
            self._project.not_asked(func.place, f"which of {len(found)} methods this runs that override `{name}`.")

    def _is_made(self, receiver: Node) -> bool:
        """Whether a value is an object that is made here, and not one that a function gives."""
        func = receiver.func
        return func is not None and any(True for _ in self._project.denoted_classes(func))

    def _may_be(self, receiver: Node, method: Code) -> bool:
        """Whether an object is of the class that has ``method``, or of one below it, as far as its type is known."""
        project = self._project
        parts = [split(name) for name in project.types(receiver)]
        known = {over if head == "type" else head for head, over in parts}
        known = {name for name in known if project.class_named(name) is not None}
        return not known or method.cls is None or not known.isdisjoint(project.lineage(method.cls.name))

    def _valued(self, call: Node) -> Iterator[Edge]:
        func = call.func
        if func is None:
            return
        given = written_arguments(call)
        for target in self.targets(func):
            yield Edge(target.code, given.after(target.given))

    def targets(self, node: Node) -> tuple[Edge, ...]:
        """The functions that a value may be, with what ``partial`` and bound methods have filled in already."""
        found = self._solver.ask(node.origin)
        if None in found:
            self._project.not_asked(node.place, f"which of more than {_MANY} functions this is.")
        return tuple(edge for edge in found if isinstance(edge, Edge))

    @property
    def steps(self) -> int:
        """How many answers about values were computed."""
        return self._solver.steps

    def _answer(self, question: _Question) -> tuple[_Found, ...]:
        if not isinstance(question, Node):
            return tuple(dict.fromkeys(self._find_decorations()))
        found = tuple(dict.fromkeys(self._find(question)))
        return (None,) if None in found or len(found) > _MANY else found

    def _find(self, node: Node) -> Iterator[_Found]:
        known = [*self._typed(node)]
        if known:
            yield from known
            return
        for value in self._behind(node):
            yield from self._solver.ask(value.origin)
        if node.call is not None:
            yield from self._results(node)
            yield from self._partial(node)
            if node.method == "getattr" and node.receiver is None and len(node.args()) > 1:
                yield from self._looked_up(node)

    def _typed(self, node: Node) -> Iterator[Edge]:
        project = self._project
        op = node.op
        for code in self._denoted(node):
            bound = code.cls is not None and isinstance(op, ops.Attr) and self.binds_receiver(node.to(op.base), code)
            made = code.function.name == "__init__"
            receiver = node.to(op.base) if bound and isinstance(op, ops.Attr) and not made else None
            yield Edge(code, Given(receiver=receiver, bound=bound or made))
        for cls in project.instances(node):
            called = project.method(cls.name, "__call__")
            if called is not None:
                yield Edge(called, Given(receiver=node, bound=True))

    def _partial(self, call: Node) -> Iterator[_Found]:
        func = call.func
        names = self._project.names(func) if func is not None else ()
        if "functools.partial" not in names and "functools.partialmethod" not in names:
            return
        written = written_arguments(call)
        if written.args:
            rest = msgspec.structs.replace(written, args=written.args[1:])
            for target in self._solver.ask(written.args[0].node.origin):
                yield Edge(target.code, rest.after(target.given)) if isinstance(target, Edge) else target

    def _behind(self, node: Node) -> Iterable[Node]:
        op = node.op
        if isinstance(op, (ops.Name, ops.Import)):
            found = self._project.definition(node)
            return [found] if found is not None else []
        if isinstance(op, (ops.Phi, ops.Logic)):
            return [node.to(value) for value in op.values]
        if isinstance(op, ops.Choice):
            return [node.to(op.then), node.to(op.other)]
        if isinstance(op, ops.Item):
            return self._held(node.to(op.base), node.to(op.key).const)
        if isinstance(op, (ops.Element, ops.Part)):
            key = op.index if isinstance(op, ops.Part) and op.index >= 0 else None
            return self._held(node.to(op.base), key)
        if isinstance(op, ops.Param):
            return self._filled(node.code, op.index)
        if isinstance(op, ops.Attr):
            return self._kept(node, op)
        return self._got(node) if isinstance(op, ops.Call) else []

    def _held(self, base: Node, key: object) -> Iterator[Node]:
        """What a display that is kept under a name, or in an attribute, holds under a key (or at all)."""
        seen: set[tuple[Node, object]] = set()
        waiting = [(base, key)]
        while waiting:
            base, key = waiting.pop()
            base = self._project.resolved(base)
            if (base, key) not in seen:
                seen.add((base, key))
                yield from self._items(base, key)
                waiting += self._holding(base, key)

    def _items(self, base: Node, key: object) -> Iterator[Node]:
        """What a display holds under a key, and what is put there later."""
        op = base.op
        if not isinstance(op, ops.Build) or op.kind == "fstring":
            return
        if op.kind == "dict":
            for name, value in base.entries_and_unpacked():
                if name is None or _may_be(name.const, key):
                    yield value
            yield from self._registered(base, key)
        else:
            chosen = op.items[key : key + 1] if isinstance(key, int) and key >= 0 else op.items
            yield from (base.to(item) for item in chosen)

    def _holding(self, base: Node, key: object) -> list[tuple[Node, object]]:
        """Where else to look for what a value holds under a key."""
        op = base.op
        if isinstance(op, ops.Attr):
            return [(value, key) for value in self._kept(base, op)][::-1]
        if isinstance(op, ops.Call) and base.method in ("items", "values") and base.receiver is not None:
            return [(base.receiver, None)]
        return [(base.to(op.base), None)] if isinstance(op, ops.Element) else []

    def _registered(self, table: Node, key: object) -> Iterator[Node]:
        """What any body puts under a key of a dictionary of a module (``HANDLERS[name] = function``)."""
        if table.code.function.kind != "module":
            return
        for name in sorted(name for name, value in table.code.body.final.items() if table.to(value).origin == table):
            for code in dict.fromkeys(self._project.mentioning(name)):
                if code.file.role not in ("test", "example"):
                    yield from self._put_into(code, table, key)

    def _put_into(self, code: Code, table: Node, key: object) -> Iterator[Node]:
        for node in code.nodes(ops.SetItem):
            op = node.op
            own = isinstance(op, ops.SetItem) and self._project.resolved(node.to(op.base)) == table
            if own and isinstance(op, ops.SetItem) and _may_be(node.to(op.key).const, key):
                yield node.to(op.value)

    def _looked_up(self, call: Node) -> Iterator[Edge]:
        """The functions that ``getattr(module, "do_" + name)`` may give: those whose names begin, or end, so."""
        args = call.args()
        begins, ends = _ends_of(args[1])
        if not begins and not ends:
            return
        for name in self._project.types(args[0]):
            head, over = split(name)
            for code in self._project.functions_of(over if head in ("module", "type") else head):
                own = code.function.name
                if own.startswith(begins) and own.endswith(ends):
                    bound = code.cls is not None and head not in ("module", "type")
                    yield Edge(code, Given(receiver=args[0] if bound else None, bound=bound))

    def _filled(self, code: Code, index: int) -> list[Node]:
        """What the project's calls pass for a parameter; for a decorator's, what it decorates."""
        calls = self._plain_callers(code)
        edges = (edge for call in calls for edge in self._plainly(call) if edge.code is code)
        found = [_standing_for(edge.given, code, index) for edge in edges]
        given = [passed.node for passed in found if passed is not None and not passed.access]
        return given + (self.decorated_by(code) if index == 0 else [])

    def decorated_by(self, decorator: Code) -> list[Node]:
        """The definitions that a function of the project decorates, itself or by what it returns."""
        known = self._decorated.get(_DECORATIONS)
        table = self._settled(self._decorated, _DECORATIONS, self._decorating) if known is None else known
        return table.get(decorator, [])

    def _decorating(self) -> dict[Code, list[Node]]:
        table: dict[Code, list[Node]] = {}
        for found in self._solver.ask(_DECORATIONS):
            if isinstance(found, _Decoration):
                table.setdefault(found.decorator, []).append(found.made)
        return table

    def _find_decorations(self) -> Iterator[_Found]:
        for code in self._decorated_functions():
            yield from self._decorations_of(code)

    def _decorated_functions(self) -> Iterator[Code]:
        for file in self._project.files.values():
            for index, function in enumerate(file.facts.functions):
                if function.decorators and file.role not in ("test", "example"):
                    yield file.code(index)

    def _decorations_of(self, code: Code) -> Iterator[_Found]:
        made = code.made_by
        for decorator in code.decorators if made is not None else ():
            for edge in self._solver.ask(decorator.origin):
                if isinstance(edge, Edge) and made is not None:
                    yield _Decoration(edge.code, made)

    def _kept(self, node: Node, op: ops.Attr) -> Iterator[Node]:
        """What an attribute was given in the methods of its class, in its body, or at the end of a module."""
        for name in self._project.types(node.to(op.base)):
            head, over = split(name)
            bound = self._project.binding(over, op.name) if head == "module" else None
            if bound is not None:
                yield bound
            cls = self._project.class_named(over if head == "type" else head)
            for view in self._project.lineage_views(cls.name) if cls is not None else ():
                yield from view.values_of(op.name)

    def _got(self, call: Node) -> Iterator[Node]:
        """What a dictionary's ``get`` gives."""
        key = call.arg(0)
        if call.method in ("get", "pop") and call.receiver is not None and key is not None:
            yield from self._held(call.receiver, key.const)
            yield from call.args()[1:2]

    def _results(self, call: Node) -> Iterator[_Found]:
        """What a call of the project's function returns."""
        func = call.func
        if func is None or (call.method in ("get", "pop") and call.receiver is not None and call.arg(0) is not None):
            return
        for edge in self._solver.ask(func.origin):
            if not isinstance(edge, Edge):
                yield edge
            elif edge.code.function.name != "__init__" and not edge.code.function.is_generator:
                for returned in edge.code.returned():
                    yield from self._solver.ask(returned.origin)

    # -- backwards -------------------------------------------------------------------------------------------------

    def callers(self, code: Code) -> tuple[Node, ...]:
        """The calls that may run ``code``: by its name, by a value that it is, or by handing it over to be run."""
        found = self._callers.get(code)
        if found is not None:
            return found
        with self._project.watch(Calls.callers):
            return self._settled(self._callers, code, lambda: self._find_callers(code))

    def _find_callers(self, code: Code) -> tuple[Node, ...]:
        wrapping = {call for call in self._valuing.get(code, ()) if self._wraps(call, code)}
        others = [call for call in self._valuing.get(code, ()) if call not in wrapping]
        named = self._calling(code, "named", self._named)
        return tuple(dict.fromkeys([*named, *others, *self._handed.get(code, ())]))

    def _plain_callers(self, code: Code) -> tuple[Node, ...]:
        """The calls that name ``code`` for certain."""
        known = self._plainly_called.get(code)
        if known is None:
            return self._settled(self._plainly_called, code, lambda: self._calling(code, "plain", self._plainly))
        return known

    def _calling(self, code: Code, way: str, running: Callable[[Node], Iterable[Edge]]) -> tuple[Node, ...]:
        """The calls by the name of ``code`` that run it, as ``running`` answers."""
        name = code.function.name
        last = code.cls.cls.name if name == "__init__" and code.cls is not None else name
        named = self._project.calls_of(last)
        if name == "__init__" and code.cls is not None:
            inits = self._project.calls_of("__init__")
            below = self._project.subclasses(code.cls.name)
            named = [*named, *inits, *(call for sub in below for call in self._project.calls_of(sub.cls.name))]
        return tuple(call for call in named if code in self._codes_run(call, way, running))

    def _codes_run(self, call: Node, way: str, running: Callable[[Node], Iterable[Edge]]) -> frozenset[Code]:
        """The functions that a call runs, as ``running`` answers: all that have its name ask for the same."""
        known = self._run.get((way, call))
        if known is not None:
            return known
        types = self._project.guesses
        kept: dict[tuple[str, Node], frozenset[Code]] = {}
        found = self._settled(kept, (way, call), lambda: frozenset(edge.code for edge in running(call)))
        if types == self._project.guesses:
            self._run.update(kept)
        return found

    @cached_property
    def _valuing(self) -> dict[Code, list[Node]]:
        """Functions to the calls whose callee is a value that may be them."""
        table: dict[Code, list[Node]] = {}
        for code in dict.fromkeys(self._project.calling(VALUE_CALLS)):
            if code.file.role not in ("test", "example"):
                for call in code.nodes(ops.Call):
                    for edge in self.edges(call):
                        table.setdefault(edge.code, []).append(call)
        return table

    @cached_property
    def _handed(self) -> dict[Code, list[Node]]:
        """Functions to the calls that hand them over to be run."""
        table: dict[Code, list[Node]] = {}
        for last in sorted({name.rpartition(".")[2] for name in self._project.knowledge.handovers}):
            for call in self._project.calls_of(last):
                for edge in self.handovers(call):
                    table.setdefault(edge.code, []).append(call)
        return table

    def handovers(self, call: Node) -> tuple[Edge, ...]:
        """The functions that a call hands over to be run, with what they will be given."""
        found = self._handovers.get(call)
        if found is None:
            return self._settled(self._handovers, call, lambda: tuple(dict.fromkeys(self._find_handovers(call))))
        return found

    def _find_handovers(self, call: Node) -> Iterator[Edge]:
        func = call.func
        known = self._project.knowledge.handovers
        if func is None or self.edges(call):
            return
        names = [*self._project.names(func), *([f"*.{call.method}"] if call.receiver is not None else [])]
        table = next((known[name] for name in names if name in known), None)
        if table is None:
            return
        given = handed_arguments(call, table)
        for target in self._handed_function(call, table):
            bound = Given(bound=True) if _takes_itself(target.code, table) else _NOTHING
            yield Edge(target.code, given.after(target.given).after(bound), table.result)

    def _handed_function(self, call: Node, table: Handover) -> Iterator[Edge]:
        if "self" in table.function:
            if call.receiver is not None:
                yield from self.targets(call.receiver)
            return
        function = call.argument(table.function)
        text = function.text if function is not None else None
        if text is not None:
            yield from (Edge(code, _NOTHING) for code in self._project.functions_called(text))
        elif function is not None:
            yield from self.targets(function)

    # -- arguments -------------------------------------------------------------------------------------------------

    def given(self, call: Node, code: Code) -> Given:
        """What a call hands to a function that it runs."""
        for edge in (*self.edges(call), *(self.handovers(call) if call.call is not None else ())):
            if edge.code is code:
                return edge.given
        func = call.func
        return _as_bound(written_arguments(call), func, self.binds(call, code)) if func is not None else _NOTHING

    def argument(self, call: Node, code: Code, index: int) -> Node | None:
        """What a call passes for a parameter; None if it leaves it to the default, or unpacks something."""
        passed = self.passed(call, code, index)
        return passed.node if passed is not None and not passed.access else None

    def passed(self, call: Node, code: Code, index: int) -> Passed | None:
        """As :meth:`argument`; it may be a part of a value."""
        return _standing_for(self.given(call, code), code, index)

    def binds(self, call: Node, code: Code) -> bool:
        """Whether a call supplies the first parameter itself (a method on its object, a constructor)."""
        func = call.func
        op = func.origin.op if func is not None else None
        if code.cls is None or func is None or self._wraps(call, code):
            return False  # A decorator hands the object on with the other arguments.
        if code.function.name == "__init__" or not isinstance(op, ops.Attr):
            return not self._is_static(code)
        return self.binds_receiver(func.origin.to(op.base), code)

    def binds_receiver(self, receiver: Node, code: Code) -> bool:
        """Whether ``receiver.method`` has the first parameter filled."""
        if self._is_static(code):
            return False
        names = {name for d in code.decorators for name in self._project.names(d)}
        if "builtins.classmethod" in names or code.function.name == "__init__":
            return True
        return not any(split(name)[0] == "type" for name in self._project.types(receiver))

    def _is_static(self, code: Code) -> bool:
        return any("builtins.staticmethod" in self._project.names(d) for d in code.decorators)

    # -- decorators ------------------------------------------------------------------------------------------------

    def wrapping(self, code: Code) -> Wrapping | None:
        """What the project's own decorator puts in the place of a function: the outermost, where there are several."""
        return next(iter(self.wrappings(code)), None)

    def wrappings(self, code: Code) -> tuple[Wrapping, ...]:
        """What the project's own decorators put around a function, the outermost first."""
        found = self._wrappings.get(code)
        if found is None:
            self._wrappings[code] = ()
            found = self._wrappings[code] = tuple(self._find_wrappings(code))
        return found

    def wrapped_by(self, inner: Code) -> Sequence[Code]:
        """The functions in whose place a decorator puts ``inner``."""
        known = self._wrapped.get(_DECORATIONS)
        table = self._settled(self._wrapped, _DECORATIONS, self._wrapping_table) if known is None else known
        return table.get(inner, ())

    def _wrapping_table(self) -> dict[Code, list[Code]]:
        table: dict[Code, list[Code]] = {}
        for code in self._decorated_functions():
            for wrapping in self.wrappings(code):
                table.setdefault(wrapping.inner, []).append(code)
        return table

    def _find_wrappings(self, code: Code) -> Iterator[Wrapping]:
        for decorator in code.decorators:
            wrapping = self.made_around(decorator)
            if wrapping is not None:
                yield wrapping

    def made_around(self, decorator: Node) -> Wrapping | None:
        """What a decorator of the project's own puts around whatever it is given."""
        found = (self._wraps_in(edge.code) for edge in self.targets(decorator))
        return next((wrapping for wrapping in found if wrapping is not None), None)

    def _wraps_in(self, decorator: Code) -> Wrapping | None:
        """What a function that is given a function returns, if that runs the other."""
        for returned in decorator.returned():
            for made in (returned.origin, *(n.origin for n in returned.args())):
                if isinstance(made.op, ops.Def) and made.code is decorator:
                    inner = decorator.file.code(made.op.function)
                    calls = tuple(c for c in inner.nodes(ops.Call) if self._is_first(c.func, decorator))
                    if calls:
                        return Wrapping(inner, calls, all(_forwards(call) for call in calls))
        return None

    def _is_first(self, func: Node | None, decorator: Code) -> bool:
        found = self._project.resolved(func) if func is not None else None
        return found is not None and found.code is decorator and found.is_self

    def _wraps(self, call: Node, code: Code) -> bool:
        """Whether ``call`` is that of a decorator in whose place others call ``code``."""
        wrapping = self.wrapping(code)
        return wrapping is not None and call in wrapping.calls


def _place(question: _Question) -> tuple[str, int, int]:
    """Where a question stands in the project, so that circles are worked off in one order."""
    return (question.code.path, question.code.index, question.value) if isinstance(question, Node) else ("", 0, 0)


def _ends_of(text: Node) -> tuple[str, str]:
    """How a text begins and ends, as far as it is written out."""
    made = text.origin
    op = made.op
    if isinstance(op, ops.Const):
        return (str(op.value), str(op.value))
    pieces: tuple[int, ...] = (op.left, op.right) if isinstance(op, ops.Bin) and op.operator == "+" else ()
    if isinstance(op, ops.Build) and op.kind == "fstring":
        pieces = op.items
    known = [made.to(piece).text or "" for piece in pieces]
    return (known[0], known[-1]) if known else ("", "")


def _standing_for(given: Given, code: Code, index: int) -> Passed | None:
    """What stands for a parameter among the arguments."""
    param = code.function.params[index]
    if param.kind in ("star", "dstar"):
        return None
    for keyword, value in given.keywords:
        if keyword == param.name:
            return value
    position = index - (1 if given.bound else 0)
    return given.args[position] if param.kind != "keyword" and 0 <= position < len(given.args) else None


def written_arguments(call: Node) -> Given:
    """The arguments of a call as they stand there."""
    op = call.call
    if op is None:
        return _NOTHING
    node = call.origin
    return Given(
        tuple(Passed(node.to(value)) for value in op.args),
        tuple((name, Passed(node.to(value))) for name, value in op.keywords),
        tuple(Passed(node.to(value)) for value in op.star),
        tuple(Passed(node.to(value)) for value in op.dstar),
    )


def _as_bound(given: Given, func: Node, bound: bool) -> Given:
    op = func.origin.op
    receiver = func.origin.to(op.base) if bound and isinstance(op, ops.Attr) else None
    return msgspec.structs.replace(given, receiver=receiver, bound=True) if bound else given


def handed_arguments(call: Node, table: Handover) -> Given:
    """The arguments for a function that a call hands over."""
    written = written_arguments(call)
    args: tuple[Passed, ...] = ()
    keywords: tuple[tuple[str, Passed], ...] = ()
    star: tuple[Passed, ...] = ()
    dstar: tuple[Passed, ...] = ()
    if table.rest is not None:
        args, star = written.args[table.rest :], written.star
        keywords = tuple(item for item in written.keywords if item[0] not in (*table.function, *table.options))
        dstar = written.dstar
    packed, named = call.argument(table.args), call.argument(table.kwargs)
    if packed is not None:
        made = packed.origin
        if isinstance(made.op, ops.Build) and made.op.kind in ("list", "tuple"):
            args = tuple(Passed(made.to(item)) for item in made.op.items)
        else:
            star = (Passed(packed),)
    if named is not None:
        dstar = (Passed(named),)
    if table.elements is not None:
        args = tuple(Passed(passed.node, (ANY,)) for passed in written.args[table.elements :])
    return Given(args, keywords, star, dstar)


def _takes_itself(code: Code, table: Handover) -> bool:
    """Whether a task gets itself as its first argument."""
    if not table.bound:
        return False
    for decorator in code.decorators:
        given = decorator.arg(None, table.bound)
        if given is not None and given.const is True:
            return True
    return False


def _forwards(call: Node) -> bool:
    """Whether a call hands on the parameters of the body that it stands in as they are."""
    op, code = call.call, call.code
    if op is None:
        return False

    def is_param(value: int, index: int, kind: str) -> bool:
        found = code.ops[code.origin(value)]
        if not isinstance(found, ops.Param):
            return False
        param = code.function.params[found.index]
        if kind in ("star", "dstar") and code.changes.get(code.origin(value)):
            return False  # ``kwargs["user"] = …``
        return param.kind in (("positional", "normal") if kind == "normal" else (kind,)) and index in (-1, found.index)

    named = all(is_param(value, -1, "keyword") or is_param(value, -1, "normal") for _, value in op.keywords)
    return (
        named
        and all(is_param(value, index, "normal") for index, value in enumerate(op.args))
        and all(is_param(value, -1, "star") for value in op.star)
        and all(is_param(value, -1, "dstar") for value in op.dstar)
    )


def _may_be(known: object, key: object) -> bool:
    """Whether a literal key, if it is known, may be the one that is asked for, if one is."""
    return key is None or known is None or known == key
