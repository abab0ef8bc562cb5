"""The toxics on one direction of one connection, in order, without a socket and without a clock.

Items are fed at the head with the time they arrived; `advance` says what has left at the tail by now, and `due` when to ask again.
Each stage has a queue and one item in hand, so that toxics can be added, changed and removed while data is inside: what
a removed toxic held flows on without its effect, in order, and nothing is dropped. Between stages an item arrives at the time
it was due to leave, not when somebody looked: delays add up exactly and a late timer does not make the next one later.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any

from harness.toxiproxy.embedded import wire
from harness.toxiproxy.embedded.schedule import Schedule
from harness.toxiproxy.embedded.toxics import TOXICS, Ending, Item, Leaving

#: Is told what a toxic that works did: the toxic, what it took (b"" for its own deadline), when that arrived, what leaves when.
Told = Callable[["ToxicSpec", Item, float, Leaving], None]
#: What an item costs besides its bytes, so that very many tiny ones are bounded as well.
ITEM_COST = 200


#: In the order of the API.
STREAMS = ("upstream", "downstream")


def streams_of(text: str) -> tuple[str, ...]:
    """The streams that a toxic's `stream` names, in any case; none where it makes no sense."""
    named = text.lower()
    return STREAMS if named == "both" else tuple(stream for stream in STREAMS if stream == named)


@dataclass
class ToxicSpec:
    """A toxic as the API knows it, shared by all connections of a proxy. `toxicity`: 0 to 1, how likely it works.

    `stream` is upstream, downstream, or both. Then `own` has what is otherwise in one of the two: an asymmetric line.
    With a `schedule` it works now and then, counted from `since`.
    """

    name: str
    type: str
    stream: str
    toxicity: float = 1.0
    attributes: dict[str, int] = field(default_factory=dict)
    schedule: Schedule | None = None
    since: float = 0.0
    own: dict[str, dict[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        #: The attributes as its toxics on live connections hold them, by stream.
        self._sides = {one: dict(self.attributes) if len(self.streams) > 1 else self.attributes for one in self.streams}
        self.change({}, {})

    @property
    def streams(self) -> tuple[str, ...]:
        """Those that it works on."""
        return streams_of(self.stream)

    def side(self, stream: str) -> dict[str, int]:
        """Its attributes in a stream, live: a change is seen by who holds them."""
        return self._sides[stream]

    def change(self, attributes: Mapping[str, int], own: Mapping[str, Mapping[str, int]]) -> None:
        """Other attributes, in all streams and in one alone. What is not said stays."""
        self.attributes.update(attributes)
        for stream, mine in own.items():
            self.own[stream] = {**self.own.get(stream, {}), **mine}
        for stream, side in self._sides.items():
            side.update({**self.attributes, **self.own.get(stream, {})})

    def told(self) -> dict[str, Any]:
        """As the API tells it; the schedule just where there is one, since Toxiproxy knows none."""
        schedule = {} if self.schedule is None else {"schedule": asdict(self.schedule)}
        return {
            "attributes": dict(self.attributes),
            "name": self.name,
            "type": self.type,
            "stream": self.stream,
            "toxicity": wire.shortest(float(self.toxicity)),
            **{stream: dict(own) for stream, own in self.own.items()},
            **schedule,
        }

    def phase(self, now: float) -> tuple[bool, float]:
        """Whether its schedule is on, and when that changes: by the clock, or infinity."""
        on, until = (True, math.inf) if self.schedule is None else self.schedule.phase(now - self.since)
        return on, self.since + until


class Stage:
    """One toxic of a chain, with what waits for it and what it has in hand."""

    __slots__ = (
        "active", "done", "edge", "free", "hand", "inputs", "leaving", "lucky", "sent", "spec", "told", "toxic", "turn",
        "waiting",
    )  # fmt: skip

    def __init__(
        self, spec: ToxicSpec, attributes: Mapping[str, int], random: Random, now: float, told: Told | None = None
    ) -> None:
        self.spec = spec
        self.told = told
        self.toxic = TOXICS[spec.type](attributes, random)
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
        #: What the dice said, and the next turn of the schedule: by the clock, and as the schedule counts.
        self.lucky = False
        self.turn = self.edge = math.inf
        self.draw(now)

    def draw(self, now: float) -> None:
        """Throw the dice: does this toxic work on this connection? It begins anew."""
        toxicity = self.spec.toxicity
        self.lucky = toxicity >= 1 or (toxicity > 0 and self.toxic.random.random() < toxicity)
        self._begin(now, now - self.spec.since)

    def _begin(self, now: float, elapsed_s: float) -> None:
        """On or off, as the dice and the schedule say. `elapsed_s` is now as the schedule counts."""
        on, self.edge = (True, math.inf) if self.spec.schedule is None else self.spec.schedule.phase(elapsed_s)
        self.turn = self.spec.since + self.edge
        self.active = self.lucky and on
        self.toxic.deadline = math.inf
        if self.active:
            self.toxic.start(now)

    @property
    def due(self) -> float:
        """When something happens here next, without new items."""
        if self.done:
            return math.inf
        due = self._next
        if self.turn < due and self.lucky and (self.leaving or self.toxic.kept or self.toxic.acts_when_idle):
            return self.turn
        return due

    @property
    def _next(self) -> float:
        """When something leaves, comes in or expires."""
        if self.leaving:
            return self.leaving[0][0]
        deadline = self.toxic.deadline
        return self.inputs[0][0] if self.inputs and self.inputs[0][0] < deadline else deadline

    @property
    def held(self) -> int:
        """What waits here, in bytes with `ITEM_COST` for each item."""
        held = self.waiting
        if self.toxic.kept:
            held += self.toxic.kept_bytes + ITEM_COST * len(self.toxic.kept)
        return held + len(self.hand) - self.sent if isinstance(self.hand, bytes) else held

    def put(self, arrived: float, item: Item) -> None:
        """An item arrives, after all others."""
        if not self.done:
            self.inputs.append((arrived, item))
            self.waiting += len(item) + ITEM_COST if isinstance(item, bytes) else 0

    def run(self, now: float) -> list[tuple[float, Item]]:
        """Everything that has left by `now`, each with the time it was due."""
        out: list[tuple[float, Item]] = []
        while not self.done:
            if self.turn <= now and self.turn <= self._next:
                self._turn(now, out)
            elif self.leaving:
                due, item = self.leaving[0]
                if due > now:
                    break
                self.leaving.popleft()
                self._let_go(due, item, out)
            elif self.inputs and self.inputs[0][0] < self.toxic.deadline:
                self._take(*self.inputs.popleft())
            elif self.toxic.deadline <= now:
                due, leaving = self.toxic.deadline, self.toxic.expire()
                self.leaving.extend(leaving)
                if self.told is not None:
                    self.told(self.spec, b"", due, leaving)
            else:
                break
        return out

    def _take(self, arrived: float, item: Item) -> None:
        free = arrived if arrived > self.free else self.free
        self.waiting -= len(item) + ITEM_COST if isinstance(item, bytes) else 0
        self.hand, self.sent = item, 0
        if self.active:
            leaving = self.toxic.apply(item, arrived, free)
            self.leaving.extend(leaving)
            if self.told is not None:
                self.told(self.spec, item, arrived, leaving)
        else:
            self.leaving.append((free, item))
        if not self.leaving:
            self.hand = None

    def _turn(self, now: float, out: list[tuple[float, Item]]) -> None:
        """The schedule turns: on, it begins anew; off, what it held flows on, as if it were taken off."""
        if not (self.leaving or self.toxic.kept or self.toxic.acts_when_idle):
            # Nothing to let go of: the turns up to the next item are of no account.
            at = min(self._next, now)
            self._begin(at, max(self.edge, at - self.spec.since))
            return
        at = self.turn
        rest = self.released() if self.active else []
        self.free = max(self.free, at)
        self._begin(at, self.edge)
        for item in rest:
            self._let_go(at, item, out)

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

    def _drop_hand(self) -> list[Item]:
        """Put down the item in hand, and what the toxic keeps; what of it has not left yet."""
        hand, self.hand = self.hand, None
        kept: list[Item] = [*self.toxic.give_back()] if self.toxic.kept else []
        self.leaving.clear()
        if isinstance(hand, bytes):  # what is kept came before it
            hand = hand[self.sent :]
        return kept if hand is None or hand == b"" else [*kept, hand]

    def released(self) -> list[Item]:
        """The toxic works no longer: what it held, and the end of the stream if it cannot flow on."""
        rest = self._drop_hand()
        ending = self.toxic.removed() if self.active else None
        return [*rest, ending] if ending is not None else rest

    def changed(self, now: float) -> list[Item]:
        """The attributes or the toxicity are others now. What leaves at once, without effect."""
        if self.done:
            return []
        rest = self._drop_hand()
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
        waiting = [item for _, item in self.inputs]
        ending = self.toxic.removed() if self.active else None
        rest = [*self._drop_hand(), *waiting]
        return [*rest, ending] if ending is not None else rest


class Chain:
    """The stages of one direction of one connection. `seed` and the toxic's name settle all its choices."""

    __slots__ = ("seed", "stages", "stream", "told")

    def __init__(self, seed: str, told: Told | None = None, stream: str = "downstream") -> None:
        self.seed = seed
        self.stream = stream
        self.told = told
        self.stages: list[Stage] = []

    @property
    def due(self) -> float:
        """When `advance` has something to do, without new items: seconds, or infinity."""
        due = math.inf
        for stage in self.stages:
            due = min(due, stage.due)
        return due

    @property
    def held(self) -> int:
        """What is inside, in bytes with `ITEM_COST` for each item."""
        held = 0
        for stage in self.stages:
            held += stage.held
        return held

    @property
    def window(self) -> int:
        """Bytes that it may hold before its source should be left unread."""
        window = 0
        for stage in self.stages:
            if stage.active and stage.toxic.window > window:
                window = stage.toxic.window
        return window

    def feed(self, item: Item, now: float) -> None:
        """An item arrives at the head."""
        self.stages[0].put(now, item)

    def advance(self, now: float) -> list[Item]:
        """What has left at the tail by now, in order. Never early."""
        out: list[tuple[float, Item]] = []
        for stage in self.stages:
            for due, item in out:
                stage.put(due, item)
            out = stage.run(now)
        return [item for _, item in out]

    def add(self, spec: ToxicSpec, now: float) -> None:
        """A toxic at the end of the chain."""
        random = Random(f"{self.seed}/{spec.name}")
        self.stages.append(Stage(spec, spec.side(self.stream), random, now, self.told))

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
