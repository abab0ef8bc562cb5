"""The toxics on one direction of one connection, in order, without a socket and without a clock.

Items are fed at the head with the time they arrived; `advance` says what has left at the tail by now, and `due` when to ask again.
Each stage has a queue and one item in hand, so that toxics can be added, changed and removed while data is inside: what
a removed toxic held flows on without its effect, in order, and nothing is dropped. Between stages an item arrives at the time
it was due to leave, not when somebody looked: delays add up exactly and a late timer does not make the next one later.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from random import Random

from harness.toxiproxy.embedded.toxics import TOXICS, Ending, Item

#: What an item costs besides its bytes, so that very many tiny ones are bounded as well.
ITEM_COST = 200


@dataclass
class ToxicSpec:
    """A toxic as the API knows it, shared by all connections of a proxy. `toxicity`: 0 to 1, how likely it works."""

    name: str
    type: str
    stream: str
    toxicity: float = 1.0
    attributes: dict[str, int] = field(default_factory=dict)

    @property
    def upstream(self) -> bool:
        """Whether it works on what clients send."""
        return self.stream.lower() == "upstream"


class Stage:
    """One toxic of a chain, with what waits for it and what it has in hand."""

    __slots__ = ("active", "done", "free", "hand", "inputs", "leaving", "sent", "spec", "toxic", "waiting")

    def __init__(self, spec: ToxicSpec, random: Random, now: float) -> None:
        self.spec = spec
        self.toxic = TOXICS[spec.type](spec.attributes, random)
        self.inputs: deque[tuple[float, Item]] = deque()
        self.waiting = 0
        self.leaving: deque[tuple[float, Item]] = deque()
        #: The item in hand, whose parts are in `leaving`, and how much of it has left.
        self.hand: Item | None = None
        self.sent = 0
        self.free = now
        #: An end has left: nothing comes after it.
        self.done = False
        self.active = False
        self.draw(now)

    def draw(self, now: float) -> None:
        """Throw the dice: does this toxic work on this connection? It begins anew."""
        toxicity = self.spec.toxicity
        self.active = toxicity >= 1 or (toxicity > 0 and self.toxic.random.random() < toxicity)
        self.toxic.deadline = math.inf
        if self.active:
            self.toxic.start(now)

    @property
    def due(self) -> float:
        """When something happens here next, without new items."""
        if self.done:
            return math.inf
        if self.leaving:
            return min(self.leaving[0][0], self.toxic.deadline)
        return self.inputs[0][0] if self.inputs else self.toxic.deadline

    @property
    def held(self) -> int:
        """What waits here, in bytes with `ITEM_COST` for each item."""
        return self.waiting + (len(self.hand) - self.sent if isinstance(self.hand, bytes) else 0)

    def put(self, arrived: float, item: Item) -> None:
        """An item arrives, after all others."""
        if not self.done:
            self.inputs.append((arrived, item))
            self.waiting += len(item) + ITEM_COST if isinstance(item, bytes) else 0

    def run(self, now: float) -> list[tuple[float, Item]]:
        """Everything that has left by `now`, each with the time it was due."""
        out: list[tuple[float, Item]] = []
        while not self.done:
            if self.leaving:
                due, item = self.leaving[0]
                if due > now:
                    break
                self.leaving.popleft()
                self._let_go(due, item, out)
            elif self.inputs and self.inputs[0][0] < self.toxic.deadline:
                self._take(*self.inputs.popleft())
            elif self.toxic.deadline <= now:
                self._let_go(self.toxic.deadline, self.toxic.expire(), out)
            else:
                break
        return out

    def _take(self, arrived: float, item: Item) -> None:
        free = max(arrived, self.free)
        self.waiting -= len(item) + ITEM_COST if isinstance(item, bytes) else 0
        self.hand, self.sent = item, 0
        if self.active:
            self.leaving.extend(self.toxic.apply(item, arrived, free))
        else:
            self.leaving.append((free, item))
        if not self.leaving:
            self.hand = None

    def _let_go(self, due: float, item: Item, out: list[tuple[float, Item]]) -> None:
        self.free = due
        if isinstance(item, Ending):
            self.done = True
            self.inputs.clear()
            self.waiting = 0
            self.leaving.clear()
        else:
            self.sent += len(item)
        if not self.leaving:
            self.hand = None
        if item != b"":
            out.append((due, item))

    def drop_hand(self) -> list[Item]:
        """Put down the item in hand; what of it has not left yet."""
        hand, self.hand = self.hand, None
        self.leaving.clear()
        if isinstance(hand, bytes):
            rest = hand[self.sent :]
            return [rest] if rest else []
        return [hand] if hand is not None else []

    def changed(self, now: float) -> list[Item]:
        """The attributes or the toxicity are others now. What leaves at once, without effect."""
        if self.done:
            return []
        rest = self.drop_hand()
        self.free = now
        releases = self.toxic.change_releases or not self.active
        self.draw(now)
        if releases:
            return rest
        for item in rest:
            self.inputs.appendleft((now, item))
            self.waiting += len(item) + ITEM_COST if isinstance(item, bytes) else 0
        return []

    def removed(self) -> list[Item]:
        """The toxic is taken off: all that it held, and the end of the stream if it cannot flow on."""
        if self.done:
            return []
        rest = [*self.drop_hand(), *(item for _, item in self.inputs)]
        ending = self.toxic.removed() if self.active else None
        return [*rest, ending] if ending is not None else rest


class Chain:
    """The stages of one direction of one connection. `seed` and the toxic's name settle all its choices."""

    __slots__ = ("seed", "stages")

    def __init__(self, seed: str) -> None:
        self.seed = seed
        self.stages: list[Stage] = []

    @property
    def due(self) -> float:
        """When `advance` has something to do, without new items: seconds, or infinity."""
        return min((stage.due for stage in self.stages), default=math.inf)

    @property
    def held(self) -> int:
        """What is inside, in bytes with `ITEM_COST` for each item."""
        return sum(stage.held for stage in self.stages)

    @property
    def window(self) -> int:
        """Bytes that it may hold before its source should be left unread."""
        return max((stage.toxic.window for stage in self.stages if stage.active), default=0)

    def feed(self, item: Item, now: float) -> None:
        """An item arrives at the head."""
        self.stages[0].put(now, item)

    def advance(self, now: float) -> list[Item]:
        """What has left at the tail by now, in order. Never early."""
        out: list[tuple[float, Item]] = []
        for index, stage in enumerate(self.stages):
            out = stage.run(now)
            if index + 1 < len(self.stages):
                for due, item in out:
                    self.stages[index + 1].put(due, item)
        return [item for _, item in out]

    def add(self, spec: ToxicSpec, now: float) -> None:
        """A toxic at the end of the chain."""
        self.stages.append(Stage(spec, Random(f"{self.seed}/{spec.name}"), now))

    def change(self, spec: ToxicSpec, now: float) -> list[Item]:
        """The toxic's attributes or toxicity changed. What leaves at the tail at once."""
        index = self._index(spec)
        return self._pass_on(self.stages[index].changed(now), index + 1, now) + self.advance(now)

    def remove(self, spec: ToxicSpec, now: float) -> list[Item]:
        """Take a toxic off. What leaves at the tail at once."""
        index = self._index(spec)
        before = self.advance(now)
        return before + self._pass_on(self.stages.pop(index).removed(), index, now) + self.advance(now)

    def _index(self, spec: ToxicSpec) -> int:
        return next(index for index, stage in enumerate(self.stages) if stage.spec is spec)

    def _pass_on(self, items: list[Item], index: int, now: float) -> list[Item]:
        """Hand items to the stage at `index`, or out at the tail."""
        if index >= len(self.stages):
            return items
        for item in items:
            self.stages[index].put(now, item)
        return []
