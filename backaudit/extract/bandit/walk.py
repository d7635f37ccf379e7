"""One walk over a file's ``ast`` that runs those of bandit's checks that can apply.

What a check may ask of its context is prepared as bandit's driver does (import aliases in order of the walk, qualified
names of calls, the parents of a node), but only for a node that has passed a check's gate.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any

from backaudit.extract.bandit.checks import BLACKLIST, KEYWORDS, MISFIRES, NEED_PARENTS, Check, Checks

Report = Callable[[Check, Any, ast.AST, ast.AST], None]

# Neither nodes nor lists of nodes that a check looks at.
_NOT_CHILDREN = frozenset(
    (
        *("arg", "asname", "attr", "conversion", "ctx", "id", "is_async", "kind", "kwd_attrs", "level", "module"),
        *("name", "names", "op", "ops", "rest", "simple", "str", "tag", "type_comment", "type_ignores"),
    )
)
_NO_SUBTREE = (ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop, ast.type_ignore)
_LEAVES = (ast.Name, ast.Constant, ast.alias, ast.Pass, ast.Break, ast.Continue, ast.Global, ast.Nonlocal)

_SQL_VERB = re.compile("select|delete|insert|update", re.IGNORECASE)
_BUILT = (ast.BinOp, ast.Attribute, ast.JoinedStr)
_NAMING = (ast.Assign, ast.Dict, ast.Subscript, ast.Compare)


def _node_classes(base: type[ast.AST]) -> Iterator[type[ast.AST]]:
    for node_class in base.__subclasses__():
        yield node_class
        yield from _node_classes(node_class)


def _children_getter(node_class: type[ast.AST]) -> Callable[[ast.AST], tuple[Any, ...]]:
    names = [name for name in node_class._fields if name not in _NOT_CHILDREN]
    if len(names) > 1:
        return attrgetter(*names)
    single = attrgetter(*names) if names else None
    return (lambda node: (single(node),)) if single else (lambda node: ())


# Class of a node that can have something below it → what gives its fields, in bandit's order. Leaves are absent.
_CHILDREN: dict[type, Callable[[Any], tuple[Any, ...]]] = {
    node_class: _children_getter(node_class)
    for node_class in _node_classes(ast.AST)
    if not issubclass(node_class, _NO_SUBTREE + _LEAVES)
}


def link_parents(tree: ast.AST) -> None:
    """Give each node below ``tree`` the attribute by which bandit's checks find its parent."""
    stack: list[Any] = [tree]
    while stack:
        node = stack.pop()
        for value in _CHILDREN[node.__class__](node):
            children: list[Any] = value if value.__class__ is list else [value]
            for child in children:
                kind = child.__class__
                if kind in _CHILDREN:
                    stack.append(child)
                if kind in _CHILDREN or kind is ast.Constant:
                    child._bandit_parent = node


class Walk:
    """One file's walk.

    ``report`` gets the check, bandit's issue, the node, and the node on whose lines a ``# nosec`` comment counts.
    """

    def __init__(self, checks: Checks, tree: ast.Module, path: str, report: Report) -> None:
        from bandit.core.context import Context

        self.checks, self.tree, self.path, self.report, self.context = checks, tree, path, report, Context
        self.imports: set[str] = set()
        self.aliases: dict[str, str] = {}
        self.linked = False
        self.built_strings: list[tuple[ast.Constant, ast.AST]] = []
        self.sql_likely = False

    def run(self) -> None:
        """Visit in bandit's order: a node, then its fields in the order of ``_fields`` (aliases depend on it)."""
        # Not kept: what refers to itself, and to the tree, goes away only when garbage is looked for.
        visits: dict[type, Callable[[Any], None]] = {
            ast.Call: self.visit_call,
            ast.FunctionDef: self.visit_function,
            ast.ExceptHandler: self.visit_handler,
            ast.Assert: self.visit_assert,
            ast.Import: self.visit_import,
            ast.ImportFrom: self.visit_import,
        }
        stack: list[Any] = [self.tree]
        while stack:
            node = stack.pop()
            if (visit := visits.get(node.__class__)) is not None:
                visit(node)
            below = self.below(node)
            below.reverse()
            stack += below
        if self.sql_likely:
            self.check_built_strings()

    def below(self, node: Any) -> list[Any]:
        """The node's children that have children; its string constants are checked on the way."""
        below = []
        for value in _CHILDREN[node.__class__](node):
            for child in value if value.__class__ is list else (value,):
                if child.__class__ in _CHILDREN:
                    below.append(child)
                elif child.__class__ is ast.Constant and child.value.__class__ is str:
                    self.visit_string(child, node)
        return below

    def try_check(self, test_id: str, node: Any, lines_of: ast.AST | None = None, **known: Any) -> None:
        """Run one check, if the installed bandit has it; what it trips over it does not report."""
        check = self.checks.by_id.get(test_id)
        if check is None:
            return
        known |= {"node": node, "imports": self.imports, "import_aliases": self.aliases, "filename": self.path}
        try:
            issue = check.run(self.context(known))
        except MISFIRES:
            return
        if issue is not None:
            self.report(check, issue, node, lines_of or node)

    def link(self) -> None:
        """Parents are wanted in few files: they are linked when the first check asks."""
        if not self.linked:
            link_parents(self.tree)
            self.linked = True

    def visit_import(self, node: ast.Import | ast.ImportFrom) -> None:
        module = node.module if isinstance(node, ast.ImportFrom) else None
        prefix = f"{module}." if module is not None else ""
        for alias in node.names:
            if alias.asname or module is not None:
                self.aliases[alias.asname or alias.name] = prefix + alias.name
            self.imports.add(prefix + alias.name)
        if any((prefix + alias.name).startswith(self.checks.banned_imports) for alias in node.names):
            self.try_check(BLACKLIST, node)

    def visit_call(self, node: ast.Call) -> None:
        qualname = self.qualified(node.func)
        gated = self.checks.for_call(qualname)
        for keyword in node.keywords:
            gated += self.for_keyword(keyword)
        for test_id in dict.fromkeys(gated):
            if test_id in NEED_PARENTS:
                self.link()
            self.try_check(test_id, node, call=node, qualname=qualname, name=qualname.rpartition(".")[2])

    def qualified(self, function: ast.expr) -> str:
        """What bandit calls the qualified name of a call: without its root where that is not a plain name."""
        attributes: list[str] = []
        while isinstance(function, ast.Attribute):
            attributes.append(function.attr)
            function = function.value
        root = self.aliases.get(function.id, function.id) if isinstance(function, ast.Name) else ""
        return ".".join([root, *reversed(attributes)])

    def for_keyword(self, keyword: ast.keyword) -> tuple[str, ...]:
        name, value = keyword.arg, keyword.value
        if name is None:
            return ()
        if isinstance(value, ast.Constant) and isinstance(value.value, str) and self.checks.names_password(name):
            return ("B106",)
        return KEYWORDS.get(name, ())

    def visit_function(self, node: ast.FunctionDef) -> None:
        for default in node.args.defaults:
            if isinstance(default, ast.Constant) and isinstance(default.value, str):
                self.try_check("B107", node)
                break
        if any(isinstance(default, ast.Attribute) for default in node.args.defaults):
            self.try_check("B503", node)

    def visit_handler(self, node: ast.ExceptHandler) -> None:
        if len(node.body) == 1:
            if isinstance(node.body[0], ast.Pass):
                self.try_check("B110", node)
            elif isinstance(node.body[0], ast.Continue):
                self.try_check("B112", node)

    def visit_assert(self, node: ast.Assert) -> None:
        self.try_check("B101", node)

    # Strings: what is asked of them depends on what they stand in, never on imports.

    def visit_string(self, node: Any, parent: Any) -> None:
        if parent.__class__ is ast.Expr:  # a docstring, or as good as one
            return
        text: str = node.value
        if text.startswith(self.checks.telling_beginnings):
            self.try_check("B104", node, parent, str=text)
            self.try_check("B108", node, parent, str=text)
        if parent.__class__ in _NAMING:
            if self.could_be_password(text, parent):
                self.link()
                self.try_check("B105", node, parent)
        elif parent.__class__ in _BUILT:
            self.keep_built(node, parent)

    def keep_built(self, node: Any, parent: Any) -> None:
        """Keep a string from which a longer one is built; of an f-string only the first, which stands for all."""
        text: str = node.value
        if parent.__class__ is ast.JoinedStr:
            if node is not next(part for part in parent.values if isinstance(part, ast.Constant)):
                return
            text = "".join(str(part.value) for part in parent.values if isinstance(part, ast.Constant))
        self.built_strings.append((node, parent))
        self.sql_likely = self.sql_likely or _SQL_VERB.search(text) is not None

    def could_be_password(self, text: str, parent: Any) -> bool:
        if isinstance(parent, ast.Assign):
            return any(self.names_password(target) for target in parent.targets)
        if isinstance(parent, ast.Compare):
            return self.names_password(parent.left)
        return self.checks.names_password(text)

    def names_password(self, target: ast.expr) -> bool:
        name = getattr(target, "id", None) or getattr(target, "attr", None)
        return name is not None and self.checks.names_password(name)

    def check_built_strings(self) -> None:
        self.link()
        for node, parent in self.built_strings:
            self.try_check("B608", node, parent)
