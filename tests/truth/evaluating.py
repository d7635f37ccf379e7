"""What an expression at a line of a real project's code gives, with stand-ins for what only a request would bind.

A name means what the statements before the line gave it that always run when the line does; what is bound in branches
means nothing (:class:`Unknown`) if it is a query, and a stand-in if it is a value. Rows are never fetched: a query that
would be run gives one row of its model, with keys alone.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import sys
import uuid
from collections.abc import Iterator
from typing import Any

_DEPTH = 8
_TRANSPARENT = (ast.Try, ast.With, ast.AsyncWith)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
Function = ast.FunctionDef | ast.AsyncFunctionDef
# What libraries ask a value for to see whether it is one of their own.
_NOT_OF_A_VALUE = frozenset(
    {"resolve_expression", "as_sql", "_meta", "_prepare", "prepare_database_save", "get_source_expressions",
     "filterable", "contains_aggregate", "contains_over_clause", "conditional", "pk", "_sa_instance_state", "statement",
     "model"}
)  # fmt: skip


class Unknown(Exception):
    """An expression whose beginning only a caller knows."""


class Stand(int):
    """A stand-in for a value of a request: a number, a text, and whatever is asked of it."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in _NOT_OF_A_VALUE:
            raise AttributeError(name)
        return _queried if name == "query" else Stand(7)

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        return Stand(7)

    def __getitem__(self, key: Any) -> Any:
        return Stand(7)

    def __iter__(self) -> Iterator[Any]:
        return iter((Stand(7),))

    def __len__(self) -> int:
        return 1

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *args: object) -> None:
        return None


def _queried(*asked: Any) -> Any:
    """``session.query(…)`` of a session that only a request has."""
    from sqlalchemy.orm import Session

    return Session().query(*asked)


# -- where a line stands -----------------------------------------------------------------------------------------------


class Module:
    """A module of the project: itself, and its text as a tree."""

    def __init__(self, loaded: Any, tree: ast.Module) -> None:
        self.loaded, self.tree = loaded, tree
        self.parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        self.values: dict[tuple[ast.AST, str], Any] = {}

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """What a node stands in, innermost first."""
        while (parent := self.parents.get(node)) is not None:
            yield parent
            node = parent

    def function(self, node: ast.AST) -> Function | None:
        """The function that a node stands in."""
        return next((above for above in self.above(node) if isinstance(above, _FUNCTIONS)), None)

    def class_of(self, function: Function) -> Any:
        """The class whose method a function is; None if it is none, or cannot be had by its name."""
        names: list[str] = []
        for node in self.above(function):
            if not isinstance(node, (ast.ClassDef, ast.Module)):
                return None
            names += [node.name] if isinstance(node, ast.ClassDef) else []
        found: Any = self.loaded if names else None
        for name in reversed(names):
            found = getattr(found, name, None)
        return found

    def branches(self, node: ast.AST) -> frozenset[tuple[ast.AST, str]]:
        """The branches and loops that a node stands in, within its function."""
        found: set[tuple[ast.AST, str]] = set()
        for above in self.above(node):
            if isinstance(above, (*_FUNCTIONS, ast.ClassDef)):
                break
            if isinstance(above, ast.stmt) and not isinstance(above, _TRANSPARENT):
                found.add((above, _field(above, node)))
            elif isinstance(above, ast.ExceptHandler):
                found.add((above, "body"))
            node = above
        return frozenset(found)


def _field(parent: ast.AST, child: ast.AST) -> str:
    for name, value in ast.iter_fields(parent):
        if value is child or (isinstance(value, list) and any(part is child for part in value)):
            return name
    return ""


class Names(dict[str, Any]):
    """What names mean at a node of a function: both the globals and the locals of what is evaluated there."""

    def __init__(self, module: Module, at: ast.AST, depth: int = 0) -> None:
        super().__init__(__builtins__=builtins)
        self._module, self._at, self._depth = module, at, depth
        self._line: int = getattr(at, "lineno", 0)

    def __missing__(self, name: str) -> Any:
        for above in self._module.above(self._at):
            if isinstance(above, _FUNCTIONS):
                break
            if (around := _bound_around(above, name)) is not None:
                return self._bound(around, name)
        function = self._module.function(self._at)
        while function is not None:
            with contextlib.suppress(KeyError):
                return self._in_function(function, name)
            function = self._module.function(function)
        known = vars(self._module.loaded)
        return known[name] if name in known else getattr(builtins, name, Stand(7))

    def evaluated(self, node: ast.expr) -> Any:
        """What an expression gives here."""
        return eval(compile(ast.Expression(node), "<site>", "eval"), self, self)

    # -- one function ----------------------------------------------------------------------------------------------

    def _in_function(self, function: Function, name: str) -> Any:
        if name == "super":
            return lambda: super(self._module.class_of(function), self["self"])
        bindings = [
            node
            for node in ast.walk(function)
            if _binds(node, name) and node is not self._at and self._module.function(node) is function
        ]
        if not bindings:
            return self._parameter(function, name)
        here = self._module.branches(self._at)
        before = [node for node in bindings if getattr(node, "lineno", self._line) < self._line]
        always = [node for node in before if self._module.branches(node) <= here]
        if always:
            last = max(always, key=_line_of)
            return self._grown(self._bound(last, name), [node for node in before if _line_of(node) > _line_of(last)])
        try:
            return self._parameter(function, name)
        except KeyError:
            return self._one_of(before, name)

    def _grown(self, value: Any, bindings: list[ast.AST]) -> Any:
        """A condition with what is added to it in branches and loops, each once: what is asked at the most."""
        for node in sorted(bindings, key=_line_of):
            if isinstance(node, ast.AugAssign) and is_asking(value):
                more = Names(self._module, node, self._depth + 1).evaluated(node.value)
                value = value | more if isinstance(node.op, ast.BitOr) else value & more
        return value

    def _one_of(self, bindings: list[ast.AST], name: str) -> Any:
        """What is bound in branches: the only one, or a stand-in if it is no query."""
        found = self._bound(bindings[0], name) if bindings else Stand(7)
        if len(bindings) > 1 and is_asking(found):
            raise Unknown("which of several")
        return found if len(bindings) == 1 else Stand(7)

    def _bound(self, node: ast.AST, name: str) -> Any:
        if self._depth > _DEPTH:
            return Stand(7)
        values = self._module.values  # what is made once, an alias of a table for one, is one
        try:
            if (node, name) not in values:
                values[node, name] = self._value(node, name)
            found = values[node, name]
        except Unknown:
            raise
        except Exception:  # noqa: BLE001 - whatever a stand-in makes a project's code raise
            return Stand(7)
        if isinstance(found, list):
            found = [*found, *self._appended(node, name)]
        return found

    def _value(self, node: ast.AST, name: str) -> Any:
        there = Names(self._module, node, self._depth + 1)
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            scope = {"__package__": self._module.loaded.__package__, "__name__": self._module.loaded.__name__}
            exec(compile(ast.Module([node], []), "<site>", "exec"), scope)
            return scope[name]
        if isinstance(node, ast.AugAssign):
            target = ast.copy_location(ast.Name(name, ast.Load()), node)
            return there.evaluated(ast.copy_location(ast.BinOp(target, node.op, node.value), node))
        if isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            value = next(iter(there.evaluated(node.iter)))
            return value if isinstance(node.target, ast.Name) else Stand(7)
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
            plain = not isinstance(node, ast.Assign) or isinstance(node.targets[0], ast.Name)
            return there.evaluated(_without_await(node.value)) if plain else Stand(7)
        return Stand(7)

    def _appended(self, bound: ast.AST, name: str) -> list[Any]:
        """What a list is given between its making and here, in whatever branch."""
        function = self._module.function(bound)
        found = []
        for node in ast.walk(function) if function is not None else ():
            if _appends(node, name) and _line_of(bound) < _line_of(node) < self._line:
                there = Names(self._module, node, self._depth + 1)
                found += [there.evaluated(argument) for argument in node.args]  # type: ignore[attr-defined]
        return found

    # -- parameters ------------------------------------------------------------------------------------------------

    def _parameter(self, function: Function, name: str) -> Any:
        arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        asked = next((argument for argument in arguments if argument.arg == name), None)
        if asked is None:
            raise KeyError(name)
        cls = self._module.class_of(function)
        if cls is not None and asked is arguments[0]:
            return receiver(cls, function)
        return self._annotated(asked)

    def _annotated(self, asked: ast.arg) -> Any:
        if asked.annotation is None:
            return Stand(7)
        try:
            said = asked.annotation
            written = (
                said.value if isinstance(said, ast.Constant) and isinstance(said.value, str) else ast.unparse(said)
            )
            meant = eval(written, vars(self._module.loaded))
        except Exception:  # noqa: BLE001 - an annotation that means nothing when it runs
            return Stand(7)
        return row_of(meant) if is_model(meant) else Stand(7)


def _binds(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.Assign):
        return any(_is_name(part, name) for target in node.targets for part in ast.walk(target))
    if isinstance(node, (ast.AugAssign, ast.AnnAssign, ast.NamedExpr)):
        return _is_name(node.target, name)
    if isinstance(node, (ast.For, ast.AsyncFor)):
        return any(_is_name(part, name) for part in ast.walk(node.target))
    if isinstance(node, ast.withitem):
        return node.optional_vars is not None and _is_name(node.optional_vars, name)
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return any((alias.asname or alias.name) == name for alias in node.names)
    return False


def _bound_around(node: ast.AST, name: str) -> ast.AST | None:
    """What binds a name within an expression that a place is part of: a comprehension, a lambda."""
    if isinstance(node, ast.Lambda):
        return next((argument for argument in node.args.args if argument.arg == name), None)
    generators = getattr(node, "generators", ())
    return next((part for part in generators if any(_is_name(n, name) for n in ast.walk(part.target))), None)


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name and not isinstance(node.ctx, ast.Load)


def _appends(node: ast.AST, name: str) -> bool:
    func = node.func if isinstance(node, ast.Call) else None
    named = isinstance(func, ast.Attribute) and func.attr == "append" and isinstance(func.value, ast.Name)
    return named and func.value.id == name  # type: ignore[union-attr]


def _line_of(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 0))


def _without_await(node: ast.expr) -> ast.expr:
    return node.value if isinstance(node, ast.Await) else node


# -- rows, and who a method is of --------------------------------------------------------------------------------------


def is_asking(value: Any) -> bool:
    """Whether a value is a query or a condition, of whatever library."""
    names = ("resolve_expression", "__clause_element__", "query", "compile", "sql")
    return not isinstance(value, Stand) and any(hasattr(value, name) for name in names)


def is_model(value: Any) -> bool:
    """Whether a value is a class of rows."""
    return isinstance(value, type) and (hasattr(value, "_meta") or hasattr(value, "__mapper__"))


def row_of(model: Any) -> Any:
    """A row with keys alone."""
    if hasattr(model, "__mapper__"):
        return model.__mapper__.class_manager.new_instance()
    if not hasattr(model._meta, "concrete_fields"):
        return Stand(7)
    keys = [field for field in model._meta.concrete_fields if field.primary_key or field.is_relation]
    return model(**{field.attname: _key(field) for field in keys})


def _key(field: Any) -> Any:
    while field.is_relation:
        field = field.target_field
    return uuid.UUID(int=7) if field.get_internal_type() == "UUIDField" else 7


def receiver(cls: Any, function: Function) -> Any:
    """What ``self`` or ``cls`` is in a method."""
    decorators = {ast.unparse(decorator) for decorator in function.decorator_list}
    if decorators & {"classmethod", "staticmethod"}:
        return cls if "classmethod" in decorators else Stand(7)
    if is_model(cls):
        return row_of(cls)
    return _manager(cls) or _of_class(cls)


def _of_class(cls: Any) -> Any:
    """An object of a class that was never made ready: what its class says, and stand-ins."""
    try:
        made = type(cls.__name__, (cls,), {"__getattr__": lambda self, name: Stand(7).__getattr__(name)})
        return object.__new__(made)
    except Exception:  # noqa: BLE001 - classes that are made otherwise
        return Stand(7)


def _manager(cls: Any) -> Any:
    """The manager or query of the model that a class of such is for."""
    if "django" not in sys.modules or not isinstance(cls, type):
        return None
    from django.apps import apps  # type: ignore[import-untyped]
    from django.db.models import Manager, QuerySet  # type: ignore[import-untyped]

    if not issubclass(cls, (Manager, QuerySet)):
        return None
    for model in apps.get_models():
        for manager in model._meta.managers:
            found = manager if issubclass(cls, Manager) else manager.all()
            if isinstance(found, cls):
                return found
    return None


def without_rows() -> None:
    """Queries that would be run give one row with keys alone."""
    with contextlib.suppress(ImportError):
        _django_without_rows()
    with contextlib.suppress(ImportError):
        _sqlalchemy_without_rows()


def _django_without_rows() -> None:
    from django.db import models  # type: ignore[import-untyped]
    from django.db.models.query import ModelIterable, QuerySet  # type: ignore[import-untyped]

    def fetched(self: Any) -> None:
        whole = issubclass(self._iterable_class, ModelIterable)
        self._result_cache = [row_of(self.model) if whole else Stand(7)]

    QuerySet._fetch_all = fetched
    QuerySet.exists = lambda self: True
    QuerySet.count = lambda self: 1
    QuerySet.aggregate = lambda self, *args, **keywords: Stand(7)
    QuerySet.create = lambda self, **keywords: row_of(self.model)
    QuerySet.get_or_create = QuerySet.update_or_create = lambda self, *args, **keywords: (row_of(self.model), False)
    QuerySet.update = QuerySet.delete = lambda self, **keywords: 1
    models.Model.save = models.Model.delete = lambda self, *args, **keywords: None
    _ask_for_no_rows_too()


def _ask_for_no_rows_too() -> None:
    """A list of which nothing is known is none that is empty, for which Django would ask nothing."""
    from django.db.models.lookups import In  # type: ignore[import-untyped]

    prepared = In.get_prep_lookup

    def filled(self: Any) -> Any:
        self.rhs = (7,) if isinstance(self.rhs, (list, tuple, set, frozenset)) and not self.rhs else self.rhs
        return prepared(self)

    In.get_prep_lookup = filled


def _sqlalchemy_without_rows() -> None:
    from sqlalchemy.orm import Query

    def one(self: Any, *args: Any) -> Any:
        entity = self.column_descriptions[0]["entity"]
        return row_of(entity) if is_model(entity) else Stand(7)

    for name in ("first", "one", "one_or_none", "get"):
        setattr(Query, name, one)
    Query.all = lambda self: [one(self)]  # type: ignore[method-assign]
