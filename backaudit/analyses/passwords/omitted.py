"""Passwords that are taken out of an object before it goes on."""

from __future__ import annotations

from backaudit.facts import ops
from backaudit.facts.ops import NONE, Value
from backaudit.flow.trace import Access, certain
from backaudit.project import Code, Node
from backaudit.vocabulary.names import means_password, means_password_hash


def _speaks(name: str | None) -> bool:
    return name is not None and (means_password(name) or means_password_hash(name))


def leaves_out(node: Node) -> bool:
    """``model_dump(exclude={"password"})``, or ``include=`` without it."""
    if not node.is_call_of("dumps"):
        return False
    keywords = node.keywords()
    for name in ("exclude", "include", "only", "rules"):
        listed = keywords.get(name)
        if listed is not None:
            made = listed.origin
            values = [*getattr(made.op, "items", ()), *getattr(made.op, "keys", ())]
            names = [made.to(value).text for value in values if value != NONE]
            has = any(text is not None and _speaks(text.lstrip("-")) for text in names)
            if has != (name in ("include", "only")):
                return True
    return False


def removed(node: Node, use: Value, access: Access = ()) -> bool:
    """``data.pop("password")`` and ``del data["password"]`` before the use; of a wanted part, its own removal."""
    code = node.code
    for effect in code.effects.get(node.value, ()):
        call = code.node(effect)
        key = call.arg(0) if call.method == "pop" and effect < use else None
        if key is not None and _is_wanted(key.text, access):
            return True
    for value in code.before(use, ops.Delete):
        op = code.ops[value]
        item = code.ops[op.value] if isinstance(op, ops.Delete) else None
        if not isinstance(item, ops.Item) or code.origin(item.base) != node.value:
            continue
        if _is_wanted(code.node(item.key).text, access):
            return value < use
    return False


def _is_wanted(key: str | None, access: Access) -> bool:
    wanted = access[0] if access else None
    return key == wanted if isinstance(wanted, str) and _speaks(wanted) else _speaks(key)


def set_later(made: Node, column: str) -> Node | None:
    """What the same body surely gives a column of an object after making it."""
    for effect in made.code.effects.get(made.origin.value, ()):
        node = made.to(effect)
        op = node.op
        named = isinstance(op, ops.SetAttr) and op.name == column
        keyed = isinstance(op, ops.SetItem) and node.to(op.key).const == column
        if (named or keyed) and certain(made.code, effect, made.value) and isinstance(op, (ops.SetAttr, ops.SetItem)):
            return node.to(op.value)
        if isinstance(op, ops.Call) and node.method in ("set_password", "hash_password", "set_pwd"):
            return node
    return None


def reads_password(code: Code) -> bool:
    """Whether a body takes a password out of something by key."""
    for value, op in enumerate(code.ops):
        key = None
        if isinstance(op, ops.Item):
            key = code.node(op.key).const
        elif isinstance(op, ops.Call) and op.args and code.node(value).method in ("get", "pop"):
            key = code.node(op.args[0]).const
        if isinstance(key, str) and means_password(key):
            return True
    return False
