"""The tables as a drawing: boxes with columns, from tables referred to on the left to those that refer on the right.

The layout is layered: a table stands right of all that it refers to. What refers to one table from farther away shares
one lane through the layers between, so that no line crosses a box. Boxes never overlap: each layer is a stack.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

import msgspec

from backaudit.report.map import words
from backaudit.survey.records import ColumnRow, TableRow

ROW, HEAD, PAD = 17, 26, 10
GUTTER, GAP, LANE_GAP, MARGIN = 64, 20, 9, 8
# Of a monospaced font of 11 pixels.
CHARACTER = 6.62
MOST_ROWS = 12
MOST_CHARACTERS = 26
# How tall a layer may grow before it becomes two.
TALLEST = 1500
_SWEEPS = 4


class Line(msgspec.Struct, frozen=True):
    """A column in a box: ``key`` is PK, FK or empty; ``y`` its middle, from the drawing's top."""

    name: str
    type: str
    key: str
    full: str
    y: float


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """A table at its place; ``more``: how many columns are not shown."""

    name: str
    x: float
    y: float
    width: float
    height: float
    lines: tuple[Line, ...]
    more: int

    def line(self, name: str) -> float:
        """Where lines to a column end: at its row, at the head where it is not shown."""
        return next((line.y for line in self.lines if line.full == name), self.y + HEAD / 2)


class Bus(msgspec.Struct, frozen=True):
    """All lines to one table: paths as SVG writes them, and where they end."""

    target: str
    paths: tuple[str, ...]
    ends: tuple[tuple[float, float], ...]


class Drawing(msgspec.Struct, frozen=True):
    """The whole; ``keys``: how many foreign keys are drawn."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    buses: tuple[Bus, ...]
    keys: int


class _Link(msgspec.Struct, frozen=True, order=True):
    """A foreign key: ``child.column`` refers to ``parent.key``; tables by their names in lower case."""

    child: str
    column: str
    parent: str
    key: str


class _Node(msgspec.Struct, frozen=True, order=True):
    """What stands in a layer: a table, or the lane of the lines to a table."""

    name: str
    lane: bool = False


def drawing(tables: Sequence[TableRow]) -> Drawing:
    """The drawing of some tables."""
    return _Layout(tables).made()


def shown_columns(table: TableRow) -> tuple[list[ColumnRow], int]:
    """The columns that a box shows, in their order, and how many it hides: keys are the last to be hidden."""
    columns = list(table.columns)
    if len(columns) <= MOST_ROWS + 2:
        return columns, 0
    ranked = sorted(range(len(columns)), key=lambda at: (not columns[at].primary, not columns[at].references, at))
    kept = sorted(ranked[:MOST_ROWS])
    return [columns[at] for at in kept], len(columns) - len(kept)


def _short(text: str, most: int = MOST_CHARACTERS) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


class _Layout:
    def __init__(self, tables: Sequence[TableRow]) -> None:
        self.tables = {table.name.lower(): table for table in tables}
        self.links = sorted(set(self._links()))
        self.sizes = {name: _size(table) for name, table in self.tables.items()}

    def made(self) -> Drawing:
        linked = sorted({name for link in self.links for name in (link.child, link.parent)})
        layers = self._layers(linked, _ranks(linked, self.links))
        tops, lanes = self._tops(layers)
        lefts, right = self._lefts(layers)
        placed = [(node, at) for at, layer in enumerate(layers) for node in layer if not node.lane]
        boxes = {node.name: self._box(node.name, lefts[at], tops[node]) for node, at in placed}
        bottom = max((box.y + box.height for box in boxes.values()), default=0.0)
        alone = self._alone([name for name in sorted(self.tables) if name not in boxes], bottom, max(right, 900.0))
        every = [*boxes.values(), *alone]
        ranks = {node.name: at for node, at in placed}
        return Drawing(
            width=max((box.x + box.width for box in every), default=0.0) + MARGIN + (GUTTER / 2 if boxes else 0),
            height=max((box.y + box.height for box in every), default=0.0) + MARGIN,
            boxes=tuple(sorted(every, key=lambda box: box.name)),
            buses=tuple(self._buses(boxes, ranks, _Lanes(lanes, lefts))),
            keys=len(self.links),
        )

    def _links(self) -> Iterator[_Link]:
        for name, table in self.tables.items():
            for column in table.columns:
                target, dot, key = column.references.rpartition(".")
                parent = (target if dot else key).lower()
                parent = parent if parent in self.tables else parent.rpartition(".")[2]
                if parent in self.tables:
                    yield _Link(name, column.name, parent, key if dot else "")

    # -- layers -------------------------------------------------------------------------------------------------------

    def _layers(self, linked: Iterable[str], ranks: Mapping[str, int]) -> list[list[_Node]]:
        """The tables by rank, tall ranks cut in several, with lanes where lines pass through."""
        by_rank: dict[int, list[str]] = {}
        for name in linked:
            by_rank.setdefault(ranks[name], []).append(name)
        columns: list[list[_Node]] = []
        for rank in sorted(by_rank):
            columns += self._cut(self._clustered(by_rank[rank], columns))
        at = {node.name: index for index, layer in enumerate(columns) for node in layer}
        for parent in sorted({link.parent for link in self.links}):
            children = [at[link.child] for link in self.links if link.parent == parent]
            for layer in range(at[parent] + 1, max(children)):
                columns[layer].append(_Node(parent, lane=True))
        return self._ordered(columns, at)

    def _clustered(self, names: list[str], before: list[list[_Node]]) -> list[str]:
        """The tables of a rank, those that refer to the same tables beside each other."""
        order = {node.name: (index, place) for index, layer in enumerate(before) for place, node in enumerate(layer)}

        def nearest(name: str) -> tuple[tuple[int, int], str]:
            above = [order[link.parent] for link in self.links if link.child == name and link.parent in order]
            return (max(above, default=(0, 0)), name)

        return sorted(names, key=nearest)

    def _cut(self, names: list[str]) -> Iterator[list[_Node]]:
        layer: list[_Node] = []
        height = 0.0
        for name in names:
            own = self.sizes[name][1] + GAP
            if layer and height + own > TALLEST:
                yield layer
                layer, height = [], 0.0
            layer.append(_Node(name))
            height += own
        yield layer

    def _ordered(self, layers: list[list[_Node]], at: Mapping[str, int]) -> list[list[_Node]]:
        """Each layer in the order of the middle of what it is connected with, swept forth and back."""
        near = self._neighbours(at)
        for sweep in range(_SWEEPS):
            for layer in layers if sweep % 2 == 0 else reversed(layers):
                place = {node: i for other in layers for i, node in enumerate(other)}
                middle = {n: _mean([place[other] for other in near.get(n, ())], place[n]) for n in layer}
                layer.sort(key=lambda node: (middle[node], node))
        return layers

    def _neighbours(self, at: Mapping[str, int]) -> dict[_Node, list[_Node]]:
        near: dict[_Node, list[_Node]] = {}
        for link in self.links:
            chain = [_Node(link.child)]
            chain += [_Node(link.parent, lane=True) for _ in range(at[link.parent] + 1, at[link.child])]
            chain.append(_Node(link.parent))
            for one, other in pairwise(chain):
                if one != other:
                    near.setdefault(one, []).append(other)
                    near.setdefault(other, []).append(one)
        return near

    # -- places -------------------------------------------------------------------------------------------------------

    def _height(self, node: _Node) -> float:
        return 0.0 if node.lane else self.sizes[node.name][1]

    def _tops(self, layers: list[list[_Node]]) -> tuple[dict[_Node, float], dict[tuple[str, int], float]]:
        """How far from the top each table stands, and each lane by table and layer: near what it is connected with."""
        total = max((sum(self._height(n) + _gap(n) for n in layer) for layer in layers), default=0.0)
        tops: dict[_Node, float] = {}
        lanes: dict[tuple[str, int], float] = {}
        middles: dict[str, float] = {}
        for index, layer in enumerate(layers):
            heights = [self._height(node) for node in layer]
            wanted = [self._wanted(node, middles) - height / 2 for node, height in zip(layer, heights, strict=True)]
            for node, top, height in zip(layer, _stacked(layer, wanted, heights, total), heights, strict=True):
                if node.lane:
                    lanes[(node.name, index)] = top + MARGIN
                else:
                    tops[node] = top + MARGIN
                middles[node.name] = top + height / 2
        return tops, lanes

    def _wanted(self, node: _Node, middles: Mapping[str, float]) -> float:
        if node.lane:
            return middles.get(node.name, 0.0)
        above = [middles[link.parent] for link in self.links if link.child == node.name and link.parent in middles]
        return _mean(above, 0.0)

    def _lefts(self, layers: list[list[_Node]]) -> tuple[list[float], float]:
        found = []
        x = float(MARGIN)
        for layer in layers:
            found.append(x)
            x += max((self.sizes[node.name][0] for node in layer if not node.lane), default=0.0) + GUTTER
        return found, x - GUTTER

    def _box(self, name: str, x: float, y: float) -> Box:
        table = self.tables[name]
        columns, more = shown_columns(table)
        lines = tuple(
            Line(
                name=_short(column.name),
                type=_short(words.column_type(column), 18) + ("?" if column.nullable else ""),
                key="PK" if column.primary else "FK" if column.references else "",
                full=column.name,
                y=y + HEAD + ROW * at + ROW / 2 + 2,
            )
            for at, column in enumerate(columns)
        )
        width, height = self.sizes[name]
        return Box(name=table.name, x=x, y=y, width=width, height=height, lines=lines, more=more)

    def _alone(self, names: list[str], top: float, width: float) -> list[Box]:
        """Tables that nothing refers to and that refer to nothing: in rows below, each column as tall as it is."""
        if not names:
            return []
        wide = max(self.sizes[name][0] for name in names)
        count = max(1, int((width + GAP) // (wide + GAP)))
        bottoms = [top + (GAP * 2 if top else MARGIN)] * count
        boxes = []
        for name in names:
            at = bottoms.index(min(bottoms))
            boxes.append(self._box(name, MARGIN + at * (wide + GAP), bottoms[at]))
            bottoms[at] += self.sizes[name][1] + GAP
        return boxes

    # -- lines --------------------------------------------------------------------------------------------------------

    def _buses(self, boxes: Mapping[str, Box], ranks: Mapping[str, int], lanes: _Lanes) -> Iterator[Bus]:
        for parent in sorted({link.parent for link in self.links}):
            paths: dict[str, None] = {}
            ends: dict[tuple[float, float], None] = {}
            for link in self.links:
                if link.parent == parent:
                    child = boxes[link.child]
                    leftwards = ranks[link.child] > ranks[parent]
                    paths.update(dict.fromkeys(_paths(link, boxes, ranks, lanes)))
                    ends[(child.x if leftwards else child.x + child.width, child.line(link.column))] = None
            yield Bus(boxes[parent].name, tuple(paths), tuple(ends))


class _Lanes(msgspec.Struct, frozen=True):
    """Where lanes run, by table and layer, and where each layer begins."""

    tops: dict[tuple[str, int], float]
    lefts: list[float]


def _paths(link: _Link, boxes: Mapping[str, Box], ranks: Mapping[str, int], lanes: _Lanes) -> Iterator[str]:
    """The stretches of one foreign key's line, from the column to the key that it refers to."""
    child, parent = boxes[link.child], boxes[link.parent]
    start, end = child.line(link.column), parent.line(link.key)
    low, high = ranks[link.parent], ranks[link.child]
    if low == high:
        yield _around(child, start, parent, end)
        return
    if low > high:
        yield _curve(child.x + child.width, start, parent.x, end)
        return
    x, y = child.x, start
    for layer in range(high - 1, low, -1):
        lane = lanes.tops[(link.parent, layer)]
        edge = lanes.lefts[layer + 1] - GUTTER
        yield _curve(x, y, edge, lane)
        yield f"M{edge:.0f} {lane:.0f}H{lanes.lefts[layer]:.0f}"
        x, y = lanes.lefts[layer], lane
    yield _curve(x, y, parent.x + parent.width, end)


def _around(child: Box, start: float, parent: Box, end: float) -> str:
    """Between two tables of one layer: around their right sides."""
    right = max(child.x + child.width, parent.x + parent.width) + GUTTER / 2
    return (
        f"M{child.x + child.width:.0f} {start:.0f}C{right:.0f} {start:.0f} {right:.0f} {end:.0f} "
        f"{parent.x + parent.width:.0f} {end:.0f}"
    )


def _curve(x: float, y: float, to_x: float, to_y: float) -> str:
    middle = (x + to_x) / 2
    return f"M{x:.0f} {y:.0f}C{middle:.0f} {y:.0f} {middle:.0f} {to_y:.0f} {to_x:.0f} {to_y:.0f}"


def _gap(node: _Node) -> float:
    return LANE_GAP if node.lane else GAP


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _stacked(layer: Sequence[_Node], wanted: Sequence[float], heights: Sequence[float], total: float) -> list[float]:
    """Tops as near to what is wanted as the order and the gaps allow, none below ``total``."""
    tops: list[float] = []
    free = 0.0
    for node, want, height in zip(layer, wanted, heights, strict=True):
        tops.append(max(want, free))
        free = tops[-1] + height + _gap(node)
    limit = total
    for at in range(len(layer) - 1, -1, -1):
        tops[at] = min(tops[at], limit - heights[at])
        limit = tops[at] - (_gap(layer[at - 1]) if at else 0.0)
    return tops


def _size(table: TableRow) -> tuple[float, float]:
    """Width and height of a box."""
    columns, more = shown_columns(table)
    names = max((min(len(column.name), MOST_CHARACTERS) for column in columns), default=4)
    types = max((min(len(words.column_type(column)), 18) + 1 for column in columns), default=4)
    inside = 3 + names + 2 + types
    width = max(inside, min(len(table.name), MOST_CHARACTERS + 10) + 2) * CHARACTER + 2 * PAD
    return round(width), HEAD + ROW * (len(columns) + (1 if more else 0)) + 8


def _ranks(names: Sequence[str], links: Sequence[_Link]) -> dict[str, int]:
    """For each table how many steps its references lead at most; those that close a circle are left out."""
    parents: dict[str, list[str]] = {}
    for link in links:
        if link.parent != link.child:
            parents.setdefault(link.child, []).append(link.parent)
    ranks: dict[str, int] = {}
    busy: set[str] = set()

    def rank(name: str) -> int:
        if name not in ranks:
            busy.add(name)
            ranks[name] = 1 + max((rank(p) for p in sorted(set(parents.get(name, ()))) if p not in busy), default=-1)
            busy.discard(name)
        return ranks[name]

    for name in names:
        rank(name)
    return ranks
