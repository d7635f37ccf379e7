"""Which pieces go together. What does not is said with its reason: by senseless.toml, or by what the pieces lack."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import combinations, product

from tests.matrix.compose import verbs_of
from tests.matrix.pieces import Input, Layout, Pieces, Route, Scenario, Senseless, Store, pieces

FACTORS = ("scenario", "route", "store", "input", "layout")
Choice = Mapping[str, str]
Piece = tuple[str, str]


def values(factor: str) -> list[str]:
    """The names of a factor's pieces."""
    return sorted(getattr(pieces(), f"{factor}s"))


@cache
def reasons() -> dict[tuple[Piece, Piece], str]:
    """Why two pieces do not go together, for those that do not; in the order of the factors."""
    found = {}
    for one, other in combinations(FACTORS, 2):
        for first, second in product(values(one), values(other)):
            why = why_not({one: first, other: second})
            if why:
                found[(one, first), (other, second)] = why
    return found


def why_not(choice: Choice) -> str:
    """Why these pieces, of some factors or all, make no sensible program; nothing if they may."""
    for reason in _reasons(pieces(), choice):
        return reason
    return ""


def _reasons(known: Pieces, choice: Choice) -> Iterator[str]:
    yield from (entry.why for entry in known.senseless if _matches(entry, choice))
    for (one, other), ask in _CHECKS.items():
        if one in choice and other in choice:
            first, second = getattr(known, f"{one}s")[choice[one]], getattr(known, f"{other}s")[choice[other]]
            reason = ask(first, second, choice)
            if reason:
                yield reason


def _matches(entry: Senseless, choice: Choice) -> bool:
    for factor in FACTORS:
        named = getattr(entry, factor)
        if named and choice.get(factor) not in named:
            return False
        excepted = getattr(entry, f"unless_{factor}", ())
        if excepted and (factor not in choice or choice[factor] in excepted):
            return False
    return True


def _scenario_route(scenario: Scenario, route: Route, choice: Choice) -> str:
    if scenario.answer != "answer" and not getattr(route, scenario.answer):
        return f"{route.title} answers no {scenario.answer}"
    asks = scenario.caller or any(twin.guarded for twin in scenario.twins.values())
    if asks and route.caller is None:
        return f"{route.title} knows no caller of its own"
    wanted = {twin.input for twin in scenario.twins.values() if twin.input}
    if any(not _gives(route, name, pieces().inputs[name]) for name in wanted):
        return f"{route.title} takes no input that the twin has"
    return ""


def _scenario_store(scenario: Scenario, store: Store, choice: Choice) -> str:
    asked = verbs_of(scenario)
    if bool(asked) != bool(store.verbs):
        return "the mistake needs no store" if store.verbs else "the mistake needs a store"
    texts = [scenario.mistake.work, *(twin.work for twin in scenario.twins.values())]
    lacking = sorted(asked - set(store.verbs))
    if lacking:
        return f"{store.title} has no `{lacking[0]}`"
    for word in ("missing", "conflict", "joined"):
        if not getattr(store, word) and any(f"${word}" in text for text in texts):
            return f"{store.title} raises nothing then"
    return ""


def _scenario_input(scenario: Scenario, piece: Input, choice: Choice) -> str:
    if piece.kind in scenario.inputs or choice["input"] in scenario.inputs:
        return "" if bool(scenario.takes) == (piece.kind != "none") else "nothing is taken from the client"
    return f"the mistake is not made with {piece.title}" if piece.kind != "none" else "the mistake needs an input"


def _route_store(route: Route, store: Store, choice: Choice) -> str:
    if route.asynchronous == "never" and store.asynchronous:
        return f"{route.title} has no asynchronous handlers, and {store.title} is asynchronous"
    return ""


def _route_input(route: Route, piece: Input, choice: Choice) -> str:
    return "" if _gives(route, choice["input"], piece) else f"{route.title} reads no {piece.title}"


def _gives(route: Route, name: str, piece: Input) -> bool:
    if piece.kind == "none" or name in route.natives:
        return True
    if piece.kind == "path":
        return bool(route.path_param or "path" in route.reads)
    return piece.source in route.reads


def _store_layout(store: Store, layout: Layout, choice: Choice) -> str:
    if layout.model and store.verbs and not store.classes:
        return f"{store.title} has no classes that a base could name"
    if not layout.answers and store.asynchronous:
        return f"a {layout.title} is no coroutine, and {store.title} is asynchronous"
    return ""


def _scenario_layout(scenario: Scenario, layout: Layout, choice: Choice) -> str:
    if layout.moves == "verbs" and not verbs_of(scenario):
        return "the mistake needs no store"
    if layout.carries and not scenario.takes:
        return "nothing is carried"
    if not layout.answers and (scenario.answer != "answer" or not _works_unseen(scenario)):
        return f"nobody sees what a {layout.title} answers"
    if layout.renames and "fstring" in choice["scenario"]:
        return "the SQL of the text names the table in English"
    return ""


def _works_unseen(scenario: Scenario) -> bool:
    family, name = scenario.rule.split("/")
    return family in ("indexes", "validation", "passwords") and name not in ("password-exposed", "xss", "open-redirect")


_CHECKS: dict[tuple[str, str], Callable[..., str]] = {
    ("scenario", "route"): _scenario_route,
    ("scenario", "store"): _scenario_store,
    ("scenario", "input"): _scenario_input,
    ("scenario", "layout"): _scenario_layout,
    ("route", "store"): _route_store,
    ("route", "input"): _route_input,
    ("store", "layout"): _store_layout,
}
