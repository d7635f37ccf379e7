"""What password hashes cost, judged as OWASP's password storage cheat sheet does: by combinations of parameters."""

from __future__ import annotations

from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.project.circles import cut_circles

BCRYPT = 10
PBKDF2 = {"sha1": 1_400_000, "sha256": 600_000, "sha512": 220_000}
# (memory in KiB, passes): each is enough with one lane; more of either is, too.
ARGON2 = ((47_104, 1), (19_456, 2), (12_288, 3), (9_216, 4), (7_168, 5))
# (N as a power of two, p), each with r = 8.
SCRYPT = ((17, 1), (16, 2), (15, 3), (14, 5), (13, 10))

_POWERS = {"**": lambda a, b: a**b, "<<": lambda a, b: a << b, "*": lambda a, b: a * b, "+": lambda a, b: a + b}


@cut_circles()
def number(project: Project, node: Node | None) -> int | None:
    """The whole number that a value is, ``2 ** 14`` and ``1 << 14`` included."""
    if node is None:
        return None
    known = project.constant(node)
    if known is not None:
        return known.const if isinstance(known.const, int) and not isinstance(known.const, bool) else None
    here = project.resolved(node)
    op = here.op
    if not isinstance(op, ops.Bin) or op.operator not in _POWERS:
        return None
    return _computed(number(project, here.to(op.left)), op.operator, number(project, here.to(op.right)))


def _computed(left: int | None, operator: str, right: int | None) -> int | None:
    if left is None or right is None:
        return None
    if operator == "*":
        return left * right
    return int(_POWERS[operator](left, right)) if 0 <= left < 1 << 40 and 0 <= right < 64 else None


def weak_bcrypt(cost: int) -> str | None:
    """What is wrong with a cost of bcrypt, if anything is."""
    return f"a bcrypt cost of {cost} is below the minimum of {BCRYPT}" if cost < BCRYPT else None


def weak_pbkdf2(digest: str, iterations: int) -> str | None:
    """What is wrong with PBKDF2's iterations, if anything is."""
    minimum = PBKDF2.get(digest.lower().replace("-", "").replace("_", ""))
    if minimum is None or iterations >= minimum:
        return None
    return f"{iterations:,} iterations of PBKDF2 with {digest.upper()} are below the minimum of {minimum:,}"


def weak_argon2(memory: int, passes: int) -> str | None:
    """What is wrong with Argon2's memory (KiB) and passes together, if anything is."""
    if any(memory >= m and passes >= t for m, t in ARGON2):
        return None
    return f"Argon2 with {memory:,} KiB and a time cost of {passes} is below the minimum of 19,456 KiB and 2"


def weak_scrypt(n: int, r: int, p: int) -> str | None:
    """What is wrong with scrypt's parameters together, if anything is."""
    if any(n * r >= (8 << power) and p >= lanes for power, lanes in SCRYPT):
        return None
    return f"scrypt with N={n:,}, r={r}, p={p} is below the minimum of N={1 << 17:,}, r=8, p=1"
