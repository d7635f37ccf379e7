"""The project: the facts of all files, linked. Rules ask it; every answer is computed once and kept here."""

from __future__ import annotations

import builtins
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from itertools import chain, pairwise
from typing import Any, TypeVar

from backaudit.facts import ops
from backaudit.facts.bandit import BanditHit
from backaudit.facts.files import FileFacts, Unread
from backaudit.facts.history import PastFile
from backaudit.facts.place import Place
from backaudit.facts.problem import Problem
from backaudit.facts.secrets import SecretHit
from backaudit.project.calls import COMMON, Calls, Edge, Given, Passed
from backaudit.project.circles import cut_circles
from backaudit.project.classes import ClassView
from backaudit.project.code import Code, PythonFile, Role
from backaudit.project.generic import made_through, shared_bases
from backaudit.project.knowledge import Knowledge, Models, ParameterConvention
from backaudit.project.modules import Modules, module_name, role_of
from backaudit.project.nodes import Node
from backaudit.project.objects import family_methods
from backaudit.project.recursion import Recursion
from backaudit.project.roles import examples_in_use, scripts_in_use
from backaudit.project.shared import shared_values
from backaudit.project.solving import Solver, strongly_connected
from backaudit.project.types import TypeResolver, Types, split
from backaudit.steps import Steps

ResultT = TypeVar("ResultT")
Options = dict[str, dict[str, Any]]
BUILTINS = frozenset(dir(builtins))

__all__ = ["BUILTINS", "ClassView", "Code", "Edge", "Given", "Node", "Passed", "Project", "PythonFile", "Role", "link"]


class Project:
    """Everything that is known after linking. Immutable but for its memory of answers."""

    def __init__(
        self,
        files: Iterable[FileFacts],
        knowledge: Knowledge,
        extra: Models | None = None,
        options: Options | None = None,
        past: tuple[PastFile, ...] = (),
        whole: bool = True,
        unread: tuple[Unread, ...] = (),
    ):
        self.facts: dict[str, FileFacts] = {file.path: file for file in sorted(files, key=lambda f: f.path)}
        self.knowledge = knowledge
        self.models = extra or Models()
        self.past = past
        self.is_whole = whole
        self.unread = unread
        self._options = options or {}
        python = {path: f.python for path, f in self.facts.items() if f.python is not None}
        self._modules = Modules(python)
        self.files: dict[str, PythonFile] = {
            path: PythonFile(self, path, facts, module_name(path), role_of(path)) for path, facts in python.items()
        }
        for in_use in (examples_in_use, scripts_in_use):
            for path in in_use(self.files, self._modules):
                self.files[path].role = "production"
        # What was not asked, in the order in which that came up.
        self.bounds: dict[Problem, None] = {}
        self.steps = Steps()
        # Stands around every query that is computed; who wants to know what each costs puts a clock here.
        self.watch: Callable[[Callable[..., Any]], AbstractContextManager[None]] = _unwatched
        self._types = TypeResolver(self)
        self._names: dict[Node, tuple[str, ...]] = {}
        self._lineages: dict[str, tuple[str, ...]] = {}
        self._direct_bases: dict[str, tuple[str, ...]] = {}
        self._starred_names: dict[tuple[PythonFile, str], Types] = {}
        self.answers: dict[Any, Any] = {}
        self._ended: dict[Any, Exception] = {}
        self._solver: Solver[tuple[Any, ...], Any] = Solver(
            lambda key: tuple(key[0](self, *key[1:])), _order, self.steps
        )
        # The walks over definitions that are under way, see :mod:`backaudit.project.circles`.
        self.walking: set[Any] = set()
        self.cuts = 0  # how often such a walk met itself
        self.graph = Calls(self)
        self._recursion = Recursion(self)
        # Asked of the whole project before anything is asked of a value: what ``super()`` is depends on it.
        self._below: dict[str, list[ClassView]] = {}
        self._below = self._find_below()

    # -- memory ----------------------------------------------------------------------------------------------------

    def once(self, query: Callable[[Project], ResultT]) -> ResultT:
        """The answer of a query (a pure function of the project), computed at its first use."""
        if query not in self.answers:
            if query in self._ended:
                raise self._ended[query].with_traceback(None)
            try:
                with self.steps.apart(), self.watch(query):
                    self.answers[query] = query(self)
            except Exception as error:
                # Whoever asks again must not wait again.
                self._ended[query] = error
                raise
        answer: ResultT = self.answers[query]
        return answer

    def once_of(self, query: Callable[..., ResultT], *asked: Any) -> ResultT:
        """The answer of a query about a part of the project, computed once."""
        key = (query, *asked)
        if key in self.answers:
            answer: ResultT = self.answers[key]
            return answer
        guesses = self._solver.guesses
        with self.steps.apart(), self.watch(asked[0] if query is _all else query):
            found = query(self, *asked)
        if guesses == self._solver.guesses:
            self.answers[key] = found
        return found

    def all_of(self, query: Callable[..., Iterable[ResultT]], *asked: Any) -> tuple[ResultT, ...]:
        """As :meth:`once_of`, all that a query finds."""
        return self.once_of(_all, query, asked)

    def solved(self, query: Callable[..., Iterable[ResultT]], *asked: Any) -> tuple[ResultT, ...]:
        """As :meth:`all_of`, where queries ask themselves and each other: over chains of any length, and on a circle
        the least that holds. An answer may grow with what it is made of, and not without end.
        """
        return self._solver.ask((query, *asked))

    def _settled(self, memory: dict[Any, ResultT], key: Any, compute: Callable[[], ResultT]) -> ResultT:
        """What ``compute`` finds, kept in a memory unless it was made of an answer that may still change."""
        guesses = self._types.guesses
        with self.steps.apart():
            found = compute()
        if guesses == self._types.guesses:
            memory[key] = found
        return found

    def uncut(self, key: Any, compute: Callable[[], ResultT]) -> ResultT:
        """What a walk over definitions finds, kept unless it met itself: then it depends on where it began."""
        if key in self.answers:
            answer: ResultT = self.answers[key]
            return answer
        cuts = self.cuts
        kept: dict[Any, ResultT] = {}
        found = self._settled(kept, key, compute)
        if cuts == self.cuts:
            self.answers.update(kept)
        return found

    def not_asked(self, place: Place, what: str) -> None:
        """Tells, once, what an analysis left out at a place since it would be too much."""
        self.bounds[Problem(place.path, "bound", f"Not asked: {what}", place.span.line)] = None

    def gives_up(self, depth: int, most: int, place: Place) -> bool:
        """Whether a walk over definitions has gone back further than it may; that it ends there is told."""
        if depth <= most:
            return False
        self.not_asked(place, f"what stands behind this, more than {most} steps back.")
        return True

    def bounded(self, found: Sequence[ResultT], most: int, place: Place, what: str) -> Sequence[ResultT]:
        """The first of what was found; that there is more is told, as ``what`` ("callers of `f`")."""
        if len(found) > most:
            self.not_asked(place, f"{what} beyond the first {most}.")
        return found[:most]

    @property
    def questions(self) -> int:
        """How many answers about types and names were computed: a count of operations, the same in every run."""
        return self._types.steps

    @property
    def guesses(self) -> int:
        """How often an answer about types was given that may still change."""
        return self._types.guesses

    def option(self, rule_id: str, name: str) -> Any:
        """A rule's own option as configured, else None."""
        return self._options.get(rule_id, {}).get(name)

    # -- files -----------------------------------------------------------------------------------------------------

    def role(self, path: str) -> Role:
        """Production, test, migration, script or example: by the path, whatever the kind of file."""
        return self.files[path].role if path in self.files else role_of(path)

    def artefacts(self, *kinds: str) -> Iterator[FileFacts]:
        """The files of some kinds (``dockerfile``, ``sql`` …), by path."""
        return (file for file in self.facts.values() if file.kind in kinds)

    def bandit(self, test_id: str) -> Iterator[tuple[str, BanditHit]]:
        """Bandit's hits of one check."""
        return iter(self._bandit.get(test_id, ()))

    @cached_property
    def _bandit(self) -> dict[str, list[tuple[str, BanditHit]]]:
        table: dict[str, list[tuple[str, BanditHit]]] = {}
        for path, file in self.facts.items():
            for hit in file.bandit:
                table.setdefault(hit.test_id, []).append((path, hit))
        return table

    def secrets(self) -> Iterator[tuple[str, SecretHit]]:
        """Literal credentials that the extractors saw, file by file."""
        return ((path, hit) for path, file in self.facts.items() for hit in file.secrets)

    def scope_at(self, path: str, line: int) -> str:
        """The qualified name of the innermost function or class around a line, empty at module level."""
        file = self.files.get(path)
        if file is None:
            return ""
        around = [f for f in file.facts.functions if f.kind != "lambda" and f.qualname and f.at.covers(line)]
        return max(around, key=lambda f: (f.at.line, -f.at.end_line)).qualname if around else ""

    # -- names -----------------------------------------------------------------------------------------------------

    @cached_property
    def _by_name(self) -> tuple[dict[str, ClassView], dict[str, Code]]:
        classes: dict[str, ClassView] = {}
        functions: dict[str, Code] = {}
        for file in self.files.values():
            for cls in file.classes():
                classes[cls.name] = cls
            for index, function in enumerate(file.facts.functions):
                if function.kind in ("function", "lambda"):
                    functions[file.code(index).key] = file.code(index)
        return classes, functions

    @cached_property
    def _method_owners(self) -> dict[str, list[Code]]:
        table: dict[str, list[Code]] = {}
        for file in self.files.values():
            if file.role not in ("test", "example"):
                for index, function in enumerate(file.facts.functions):
                    if function.kind == "function" and function.cls >= 0:
                        table.setdefault(function.name, []).append(file.code(index))
        return table

    def class_named(self, name: str) -> ClassView | None:
        return self._by_name[0].get(name)

    def function_named(self, name: str) -> Code | None:
        return self._by_name[1].get(name)

    def functions_of(self, name: str) -> Iterator[Code]:
        """The functions that a module defines at its top, or the methods of a class and its bases."""
        for view in self.lineage_views(name) if name in self._by_name[0] else ():
            yield from view.methods.values()
        file = self.files.get(self._modules.path(name)) if name in self._modules else None
        for index, function in enumerate(file.facts.functions) if file is not None else ():
            if function.parent == 0 and function.kind == "function" and file is not None:
                yield file.code(index)

    def classes(self) -> Iterator[ClassView]:
        """All classes of the project, by file."""
        return (cls for file in self.files.values() for cls in file.classes())

    def classes_called(self, name: str) -> list[ClassView]:
        """The classes of that name, whatever the module and whatever the case, by file."""
        return self._classes_by_last.get(name.lower(), [])

    @cached_property
    def _classes_by_last(self) -> dict[str, list[ClassView]]:
        found: dict[str, list[ClassView]] = {}
        for cls in self.classes():
            found.setdefault(cls.cls.name.lower(), []).append(cls)
        return found

    def only_method(self, name: str) -> Code | None:
        """The one method of that name in the project, if there is one and the name is telling."""
        owners = self._method_owners.get(name, [])
        return owners[0] if len(owners) == 1 and name not in COMMON and not name.startswith("__") else None

    def family_methods(self, name: str) -> tuple[Code, ...]:
        """The methods of a telling name, where all that the project has are of one family of classes."""
        telling = name not in COMMON and not name.startswith("__")
        return tuple(family_methods(self, self._method_owners.get(name, []))) if telling else ()

    def lineage(self, name: str) -> tuple[str, ...]:
        """A class and its bases, nearest first, libraries' included as far as named."""
        found = self._lineages.get(name)
        return self._settled(self._lineages, name, lambda: self._lineage(name)) if found is None else found

    def lineage_views(self, name: str) -> list[ClassView]:
        """The same, as far as the project itself declares them."""
        views = map(self.class_named, self.lineage(name))
        return [view for view in views if view is not None]

    def _lineage(self, name: str) -> tuple[str, ...]:
        """Bases first, without recursion; what inherits from itself (which Python refuses) has its own bases alone."""
        found: dict[str, tuple[str, ...]] = {}
        known = self._lineages
        for part in strongly_connected((name,), lambda cls: iter(() if cls in known else self._bases(cls))):
            cls = part[0]
            bases = () if cls in known else self._bases(cls)
            if cls in known:
                found[cls] = known[cls]
            elif len(part) > 1 or cls in bases:
                found |= {member: (member, *(b for b in self._bases(member) if b != member)) for member in part}
            else:
                found[cls] = (cls, *_merged([*(found[base] for base in bases), bases]))
        return found[name]

    def _bases(self, name: str) -> tuple[str, ...]:
        """The bases that a class names itself."""
        found = self._direct_bases.get(name)
        return self._settled(self._direct_bases, name, lambda: self._written_bases(name)) if found is None else found

    def _written_bases(self, name: str) -> tuple[str, ...]:
        cls = self.class_named(name)
        if cls is None:
            return shared_bases(self, name) or self.knowledge.bases.get(name, ())
        written = (denoted for base in cls.bases for denoted in self._base_names(base))
        return tuple(dict.fromkeys((*written, *self._made_by_decorators(cls))))

    def _made_by_decorators(self, cls: ClassView) -> Iterator[str]:
        """What decorators derive a class from: ``@as_declarative()`` makes it a base of tables."""
        known = self.knowledge.bases
        for decorator in (cls.outer.node(value) for value in cls.cls.decorators):
            func = decorator.func or decorator
            if func.spelled.rpartition(".")[2] in self._deriving:
                for name in self.names(func):
                    yield from known.get(name, ())

    @cached_property
    def _deriving(self) -> frozenset[str]:
        """The last names of what the tables derive classes from."""
        return frozenset(name.rpartition(".")[2] for name in self.knowledge.bases)

    def _base_names(self, base: Node) -> Iterator[str]:
        target = base.to(base.op.base) if isinstance(base.op, ops.Item) else base
        for name in self.types(target):
            head, over = split(name)
            if head in ("type", "ext"):
                yield over
        if isinstance(target.op, ops.Attr):
            yield from self.names(target)

    def inherits(self, cls: str, *ancestors: str) -> bool:
        """Whether a class has one of ``ancestors`` in its lineage."""
        return not set(ancestors).isdisjoint(self.lineage(cls))

    def subclasses(self, *ancestors: str) -> Iterator[ClassView]:
        """Classes of the project below one of ``ancestors``."""
        if len(ancestors) == 1:
            return iter(self._below.get(ancestors[0], ()))
        wanted = set(ancestors)
        return (cls for cls in self.classes() if not wanted.isdisjoint(self.lineage(cls.name)[1:]))

    def _find_below(self) -> dict[str, list[ClassView]]:
        table: dict[str, list[ClassView]] = {}
        for cls in self.classes():
            for ancestor in self.lineage(cls.name)[1:]:
                table.setdefault(ancestor, []).append(cls)
        return table

    def after(self, cls: ClassView) -> tuple[str, ...]:
        """The classes that ``super()`` in a class means, nearest first; in a mixin that depends on who mixes it in."""
        own = self.lineage(cls.name)[1:]
        mixed = [self.lineage(sub.name) for sub in self._below.get(cls.name, ())]
        return tuple(dict.fromkeys([*own, *(name for names in mixed for name in names[names.index(cls.name) + 1 :])]))

    def imported(self, file: PythonFile, module: str, name: str, level: int) -> Types:
        """What an import statement binds."""
        target = self._modules.relative(file.path, level, module) if level else self._absolute(file, module)
        if not name:
            return (f"module[{target}]",) if self._ours(target) else (f"ext[{module}]",)
        if self._ours(target):
            return self.member(target, name)
        external = f"{module}.{name}"
        return self._library(self.knowledge.known_as(external))

    def _absolute(self, file: PythonFile, module: str) -> str:
        return self._modules.absolute(file.path, module)

    def _library(self, name: str) -> Types:
        return tuple(self._types.stated(self.knowledge.attributes.get(name, ""))) or (f"ext[{name}]",)

    def _ours(self, module: str) -> bool:
        return module in self._modules or self._modules.is_package(module)

    def imports_own(self, file: PythonFile) -> bool:
        """Whether a file imports from the project itself."""
        imports = file.facts.imports
        return any(item.level or self._ours(self._absolute(file, item.module)) for item in imports)

    def member(self, module: str, name: str) -> Types:
        """What ``module.name`` is, for a module of the project: a binding, a star import's, or a submodule."""
        if module in self._modules:
            file = self.files[self._modules.path(module)]
            value = file.top.body.final.get(name)
            # A package that imports its own submodule binds the name to what is being asked.
            found = self.types(file.top.node(value)) if value is not None else self.starred(file, name)
            if found or (value is not None and not isinstance(file.top.node(value).origin.op, ops.Import)):
                return found
        return self._submodule(module, name)

    def _submodule(self, module: str, name: str) -> Types:
        inner = f"{module}.{name}" if module else name
        return (f"module[{inner}]",) if self._ours(inner) else ()

    def dotted(self, at: Node, name: str) -> Node | None:
        """What a dotted name in a text stands for, read like an import of the file that it stands in."""
        module, _, attribute = name.rpartition(".")
        return self.binding(self._absolute(at.code.file, module), attribute) if module else None

    def binding(self, module: str, name: str) -> Node | None:
        """The value that a module of the project gives to a name at its end."""
        if module not in self._modules:
            return None
        top = self.files[self._modules.path(module)].top
        value = top.body.final.get(name)
        return None if value is None else top.node(value)

    def starred(self, file: PythonFile, name: str) -> Types:
        """What a star import of the file binds to ``name``, empty if none does."""
        found = self._starred_names.get((file, name))
        if found is None:
            return self._settled(self._starred_names, (file, name), lambda: self._starred(file, name))
        return found

    def _starred(self, file: PythonFile, name: str) -> Types:
        """The first that binds it, in depth; modules may import each other in circles."""
        seen = {file.path}
        libraries: list[str] = []
        waiting = list(self._stars(file))[::-1]
        while waiting:
            module, what = waiting.pop()
            found: Types = ()
            if what == "library":
                libraries.append(module)
                found = self._star_library(f"{module}.{name}")
            elif what == "package" or module not in self._modules:
                found = self._submodule(module, name)
            else:
                source = self.files[self._modules.path(module)]
                if name in source.top.body.final:
                    found = self.member(module, name)
                elif source.path not in seen:
                    seen.add(source.path)
                    waiting += [(module, "package"), *list(self._stars(source))[::-1]]
            if found:
                return found
        return self._left_to(libraries, name)

    def _left_to(self, libraries: list[str], name: str) -> Types:
        """What nothing in the tree binds, and Python does not know, comes from a library whose names are all taken.

        Of several it is the one that the tables speak of: what it exports cannot be read here.
        """
        if name in BUILTINS or not libraries:
            return ()
        spoken = [module for module in libraries if module.partition(".")[0] in self._spoken_of]
        last = (spoken or libraries)[-1]
        return self._library(f"{last}.{name}")

    @cached_property
    def _spoken_of(self) -> frozenset[str]:
        """The packages of libraries that the tables know something of."""
        tables = (self.knowledge.returns, self.knowledge.attributes, self.knowledge.aliases)
        return frozenset(name.partition(".")[0] for table in tables for name in table)

    def missing_stars(self, file: PythonFile) -> list[str]:
        """The modules beside a file of which it takes all names, and which are not in the tree."""
        named = [(item.module, item.level) for item in file.facts.imports if item.name == "*" and item.level]
        return [module for module, level in named if not self._ours(self._modules.relative(file.path, level, module))]

    def _stars(self, file: PythonFile) -> Iterator[tuple[str, str]]:
        """The modules whose names a file takes all: a ``module`` of the project, or a ``library``'s."""
        for item in file.facts.imports:
            if item.name == "*":
                target = self._modules.relative(file.path, item.level, item.module) if item.level else ""
                target = target if item.level else self._absolute(file, item.module)
                yield (target, "module") if self._ours(target) else (item.module, "library")

    def _star_library(self, name: str) -> Types:
        aliased = self.knowledge.known_as(name)
        return self._library(aliased) if aliased != name or name in self.knowledge.attributes else ()

    def assumed(self, code: Code, name: str) -> Types:
        """What a parameter is by convention (``request`` in a file that imports the framework)."""
        known = [rule for rule in self.knowledge.parameters if rule.name == name]
        found = (r.type for r in known if self._follows(code, r) or self.imports(code.file, r.package))
        return tuple(found)[:1]

    def assumed_alone(self, code: Code, name: str) -> Types:
        """The same in a file that imports none of the frameworks, where the whole project imports only one of them."""
        if code.file.role != "production":
            return ()
        used = self.once_of(_frameworks_of, name)
        packages = {rule.package for rule in used}
        own = [rule.type for rule in used if rule.over not in packages]
        return tuple(own) if len(own) == 1 else ()

    def imports(self, file: PythonFile, package: str) -> bool:
        """Whether a file imports a package, or a part of it."""
        return bool(package) and any(m == package or m.startswith(package + ".") for m in self._imports_of(file))

    def _follows(self, code: Code, rule: ParameterConvention) -> bool:
        """Whether the function takes what the convention names, and next to it what it says stands beside."""
        names = [param.name for param in code.function.params]
        return bool(rule.beside) and (rule.name, rule.beside) in pairwise(names)

    def _imports_of(self, file: PythonFile) -> frozenset[str]:
        return self.once_of(_modules_imported, file)

    def types(self, node: Node) -> Types:
        """What a value is, see :mod:`backaudit.project.types`."""
        self.steps.take()
        return self._types.of(node)

    def shared_values(self, node: Node) -> Iterator[Node]:
        """What bodies put where a value is read off the application or the request."""
        return shared_values(self, node)

    def annotated(self, node: Node) -> Types:
        """The types that an annotation (a value of the enclosing body) stands for."""
        return self._types.annotation(node)

    def returned(self, code: Code) -> Types:
        """What calling a function of the project gives."""
        return self._types.returned(code)

    def instances(self, node: Node) -> Iterator[ClassView]:
        """The project's classes that a value may be an instance of."""
        for name in self.types(node):
            cls = self.class_named(split(name)[0])
            if cls is not None:
                yield cls

    def denoted_classes(self, node: Node) -> Iterator[ClassView]:
        """The project's classes that a value is (``User`` itself, not a user)."""
        for name in self.types(node):
            head, over = split(name)
            cls = self.class_named(over) if head == "type" else None
            if cls is not None:
                yield cls

    @cut_circles()
    def alias_of(self, node: Node) -> Node | None:
        """The expression behind a name that stands for a type (``SessionDep = Annotated[...]``)."""
        seen: set[Node] = set()
        here: Node | None = node.origin
        while here is not None and here not in seen:
            seen.add(here)
            target = _one_of(self._aliased(here))
            if target is None:
                return here if isinstance(here.op, (ops.Item, ops.Bin)) else None
            if isinstance(target.origin.op, (ops.Item, ops.Bin)):
                return target.origin
            here = target.origin if isinstance(target.origin.op, (ops.Import, ops.Name)) else None
        return None

    def _aliased(self, node: Node) -> Node | None:
        op = node.op
        if isinstance(op, ops.Import) and op.name:
            module = self._modules.relative(node.code.path, op.level, op.module) if op.level else ""
            return self.binding(module or self._absolute(node.code.file, op.module), op.name)
        if isinstance(op, ops.Name):
            return self.free(node.code, op.name)
        target: Node | None = None
        if isinstance(op, ops.Attr):
            for name in self.types(node.to(op.base)):
                head, over = split(name)
                target = self.binding(over, op.name) if head == "module" else target
        return target

    def free(self, code: Code, name: str) -> Node | None:
        """The value that a free name of a body has in the bodies around it."""
        scope = code.enclosing if code.function.kind != "module" else code
        while scope is not None:
            value = scope.body.final.get(name)
            if value is not None:
                return scope.node(value)
            scope = scope.enclosing
        return None

    def constant(self, node: Node) -> Node | None:
        """The node that gives a value its literal: through names, imports and attributes of modules and classes."""
        seen: set[Node] = set()
        here: Node | None = node.origin
        while here is not None and here not in seen:
            seen.add(here)
            if isinstance(here.op, ops.Const):
                return here
            here = self.definition(here)
        return None

    def resolved(self, node: Node) -> Node:
        """The value behind names, imports and attributes of modules and classes, as far as it can be followed."""
        seen: set[Node] = set()
        here = node.origin
        while here not in seen:
            seen.add(here)
            here = self.definition(here) or here
        return here

    def definition(self, node: Node) -> Node | None:
        """What a name, an import or an attribute of a module or class stands for."""
        op = node.op
        if isinstance(op, ops.Name):
            found = self.free(node.code, op.name)
            return found.origin if found is not None else None
        if isinstance(op, ops.Import) and op.name:
            module = self._modules.relative(node.code.path, op.level, op.module) if op.level else ""
            found = self.binding(module or self._absolute(node.code.file, op.module), op.name)
            return found.origin if found is not None else None
        if isinstance(op, ops.Attr):
            return self._attribute_definition(node, op)
        return None

    def _attribute_definition(self, node: Node, op: ops.Attr) -> Node | None:
        for name in self.types(node.to(op.base)):
            head, over = split(name)
            if head == "module":
                found = self.binding(over, op.name)
                if found is not None:
                    return found.origin
            cls = self.class_named(over if head == "type" else head)
            if cls is not None and op.name in cls.fields and op.name not in cls.assigned:
                return cls.fields[op.name].origin
        return None

    def names(self, node: Node) -> tuple[str, ...]:
        """The dotted names by which tables may know what a value denotes; ``*.name`` if the receiver is unknown."""
        self.steps.take()
        found = self._names.get(node)
        return self._settled(self._names, node, lambda: self._types.names(node)) if found is None else found

    def spelled_names(self, node: Node) -> Iterator[str]:
        """What :meth:`names` remembers."""
        for name in self.types(node):
            head, over = split(name)
            if head in ("def", "type", "ext", "module"):
                yield over.partition("#")[0]
        op = node.origin.op
        if isinstance(op, ops.Attr):
            yield from self._member_names(node.origin.to(op.base), op.name)
        elif isinstance(op, ops.Call) and not self.types(node):
            # A decorator or factory that is called: it is known by what is called.
            yield from self.names(node.origin.to(op.func))

    def _member_names(self, base: Node, attr: str) -> Iterator[str]:
        types = self.types(base)
        for name in types:
            head, over = split(name)
            if head in ("ext", "module"):
                dotted = f"{over}.{attr}"
                yield self.knowledge.known_as(dotted)
            elif head == "def":
                yield f"function.{attr}"
            else:
                for owner in self.lineage(over if head == "type" else head):
                    yield f"{owner}.{attr}"
        if not types:
            for dotted in self.names(base) if isinstance(base.origin.op, (ops.Call, ops.Attr)) else ():
                if not dotted.startswith("*"):
                    yield f"{dotted}.{attr}"
            yield f"*.{attr}"

    # -- calls -----------------------------------------------------------------------------------------------------

    @cached_property
    def _call_index(self) -> dict[str, list[tuple[PythonFile, tuple[int, ...]]]]:
        return self._merge(lambda facts: facts.calls)

    @cached_property
    def _read_index(self) -> dict[str, list[tuple[PythonFile, tuple[int, ...]]]]:
        return self._merge(lambda facts: facts.reads)

    def _merge(
        self, part: Callable[[Any], dict[str, tuple[int, ...]]]
    ) -> dict[str, list[tuple[PythonFile, tuple[int, ...]]]]:
        table: dict[str, list[tuple[PythonFile, tuple[int, ...]]]] = {}
        for file in self.files.values():
            for name, where in part(file.facts).items():
                table.setdefault(name, []).append((file, where))
        return table

    @cached_property
    def _renamed(self) -> dict[str, set[str]]:
        """Names under which imports with ``as`` make something known: original to bound."""
        table: dict[str, set[str]] = {}
        for file in self.files.values():
            for item in file.facts.imports:
                if item.name and item.bound != item.name and item.name != "*":
                    table.setdefault(item.name, set()).add(item.bound)
        return table

    def mentioning(self, name: str) -> Iterator[Code]:
        """Bodies that read or set an attribute, a key or a global of that name."""
        for file, where in self._read_index.get(name, ()):
            yield from (file.code(index) for index in dict.fromkeys(where))

    def mentioned(self, wanted: Callable[[str], bool]) -> Iterator[Code]:
        """Bodies that read or set an attribute, key or global whose name is ``wanted``, each once."""
        found = {code: None for name in sorted(filter(wanted, self._read_index)) for code in self.mentioning(name)}
        return iter(found)

    def calling(self, name: str) -> Iterator[Code]:
        """Bodies that call something of that last name, under whatever name it was imported."""
        for spelled in sorted({name, *self._renamed.get(name, ())}):
            for file, where in self._call_index.get(spelled, ()):
                yield from (file.code(index) for index in dict.fromkeys(where))

    def calls(self, *names: str) -> Iterator[Node]:
        """Calls of any of the named things: ``flask.abort``, ``sqlalchemy.orm.Session.execute``, ``*.execute``."""
        wanted: dict[str, set[str]] = {}
        for name in names:
            wanted.setdefault(name.rpartition(".")[2], set()).add(name)
        for last in sorted(wanted):
            for node in self.calls_of(last):
                func = node.func
                if func is not None and not wanted[last].isdisjoint(self.names(func)):
                    yield node

    def calls_of(self, last: str) -> list[Node]:
        """Calls whose callee ends in ``last``, whoever the receiver is."""
        return self.once_of(Project._find_calls_of, last)

    def _find_calls_of(self, last: str) -> list[Node]:
        spelled = {last, *self._renamed.get(last, ())}
        bodies = dict.fromkeys(self.calling(last))
        return [call for code in bodies for call in code.calls_of(*spelled)]

    def callees(self, call: Node) -> tuple[Code, ...]:
        """The project's functions that a call may run; a class's ``__init__`` for its construction."""
        self.steps.take()
        return self.graph.callees(call)

    def called_by(self, code: Code) -> Iterator[Code]:
        """The project's functions that the calls of a body may run, call by call."""
        return chain.from_iterable(map(self.callees, code.nodes(ops.Call)))

    def constructions(self, cls: ClassView) -> tuple[Node, ...]:
        """The calls that make an object of a class, by its name or by an attribute that holds the class."""
        return made_through(self, cls)

    def method(self, cls: str, name: str) -> Code | None:
        """A method of a class or of its nearest base in the project that has it."""
        for view in self.lineage_views(cls):
            if name in view.methods:
                return view.methods[name]
        return None

    def overriding(self, code: Code) -> tuple[Code, ...]:
        """The methods of subclasses that stand in the place of a method."""
        return self.once_of(_overriding, code)

    def callers(self, code: Code) -> tuple[Node, ...]:
        """The calls in the project that may run ``code``, at once or by handing it over."""
        self.steps.take()
        return self.graph.callers(code)

    def circle(self, code: Code) -> Code | None:
        """One function that stands for all that call each other in a circle with ``code``; None if none does."""
        return self._recursion.circle(code)

    def calls_around(self, code: Code) -> tuple[Node, ...]:
        """The calls of a function by those that are on a circle with it."""
        return self._recursion.calls_around(code)

    def argument(self, call: Node, code: Code, index: int) -> Node | None:
        """What a call passes for parameter ``index`` of a function it runs; None if it leaves it to the default."""
        return self.graph.argument(call, code, index)

    def functions_called(self, name: str) -> Iterator[Code]:
        """The functions that a dotted name in a string stands for, from the root of the project or some folder on."""
        exact = self.function_named(name)
        if exact is not None:
            yield exact
        elif "." in name:
            for file in self.files.values():
                module, _, last = name.rpartition(".")
                if file.module.endswith("." + module):
                    found = self.function_named(f"{file.module}.{last}")
                    yield from [found] if found is not None else []

    def default(self, code: Code, index: int) -> Node | None:
        """A parameter's default."""
        return code.outside(code.function.params[index].default)


def _unwatched(query: Callable[..., Any]) -> AbstractContextManager[None]:
    return _NOTHING


_NOTHING = nullcontext()


def _one_of(node: Node | None) -> Node | None:
    """The first of what a name is bound to where that depends on a condition."""
    op = node.origin.op if node is not None else None
    if node is not None and isinstance(op, (ops.Phi, ops.Choice)):
        values = op.values if isinstance(op, ops.Phi) else (op.then, op.other)
        return node.origin.to(values[0])
    return node


def _merged(lists: Iterable[Iterable[str]]) -> list[str]:
    """Python's order of bases (C3); where there is none, the order in which they are met."""
    rests = [deque(names) for names in lists if names]
    given = list(dict.fromkeys(name for rest in rests for name in rest))
    behind = Counter(name for rest in rests for name in list(rest)[1:])
    told: list[str] = []
    while rests:
        head = next((rest[0] for rest in rests if not behind[rest[0]]), None)
        if head is None:
            return given
        told.append(head)
        for rest in rests:
            if rest[0] == head:
                rest.popleft()
                behind[rest[0] if rest else ""] -= 1
        rests = [rest for rest in rests if rest]
    return told


def link(
    files: Iterable[FileFacts],
    knowledge: Knowledge,
    models: Models | None = None,
    options: Options | None = None,
    past: tuple[PastFile, ...] = (),
    whole: bool = True,
    unread: tuple[Unread, ...] = (),
) -> Project:
    """Join the facts of all files, what is known of libraries, the rules' options, and versions that are no more.

    ``whole``: the files are all that their repository has, not those of one of its folders. ``unread``: what it has
    beside them.
    """
    return Project(files, knowledge, models, options, past, whole, unread)


def _modules_imported(project: Project, file: PythonFile) -> frozenset[str]:
    return frozenset(item.module for item in file.facts.imports if not item.level)


def _frameworks_of(project: Project, name: str) -> tuple[ParameterConvention, ...]:
    """The conventions for a parameter's name whose packages production code imports."""
    files = [file for file in project.files.values() if file.role == "production"]
    known = [rule for rule in project.knowledge.parameters if rule.name == name and rule.package]
    return tuple(rule for rule in known if any(project.imports(file, rule.package) for file in files))


def _overriding(project: Project, code: Code) -> tuple[Code, ...]:
    below = project.subclasses(code.cls.name) if code.cls is not None else ()
    found = (cls.methods.get(code.function.name) for cls in below)
    return tuple(dict.fromkeys(method for method in found if method is not None))


def _order(key: tuple[Any, ...]) -> tuple[str, ...]:
    """Where a question stands among those of its circle: whoever asked first has no say."""
    query, *asked = key
    return (query.__module__, query.__qualname__, *map(_placed, asked))


def _placed(part: Any) -> str:
    if isinstance(part, Node):
        return f"{_placed(part.code)} {part.value:09}"
    return f"{part.path} {part.index:06}" if isinstance(part, Code) else repr(part)


def _all(project: Project, query: Callable[..., Iterable[ResultT]], asked: tuple[Any, ...]) -> tuple[ResultT, ...]:
    return tuple(query(project, *asked))
