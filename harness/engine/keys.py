"""Finding the keys of a JSON chat by talking: objects with every usual key first, then fewer and fewer of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from harness.dialect import tokens
from harness.dialect.json_keys import Shape, namings, sayings, smaller
from harness.dialect.json_words import JOINS, JsonWords
from harness.dialect.masking import stands_in
from harness.dialect.profile import Profile, fill
from harness.engine.guests import Guest, House

#: Messages that are said in all: a search that finds nothing must end.
MOST_SAID = 160
#: So many words for coming in are tried one by one where nothing shows that the server speaks JSON at all.
FEW = 3
#: So many are said one after the other by one who comes in by all of them.
MANY = 14
#: Whole objects that are tried: those of examples, and those that the source's words make.
MOST_SHOWN, MOST_MADE = 4, 12


class Keys:
    """One search on one fresh instance. `find` gives the templates for a name (None: none is needed) and for a message."""

    def __init__(self, house: House, manner: Profile, known: JsonWords) -> None:
        self.house = house
        self.manner = manner
        self.known = known
        self.seen = known.words
        self._number = 0
        house.manner = manner

    async def find(self, *, at_once: bool) -> tuple[str | None, str] | None:
        """None when nobody was heard. `at_once`: by what was shown, then by every usual word, one after the other; else
        by what the source's words make, then by one usual word alone."""
        made = [(n, s) for n in self.known.namings[:6] for s in self.known.sayings[:4]]
        for naming, saying in self.known.examples[:MOST_SHOWN] if at_once else made[:MOST_MADE]:
            if await self._works(naming, saying):
                return naming, saying
        every = namings(self.seen)
        alone = every if any(word in self.seen for word in JOINS) else every[:FEW]
        for coming in [every[:MANY]] if at_once else [[shape] for shape in alone]:
            heard = await self._first_heard(coming)
            if heard is not None:
                return await self._least(coming, heard)
            if not self.house.alive() or self._number > MOST_SAID:
                return None
        return None

    def noticed(self) -> bool:
        """Whether anybody was answered in JSON, or sent away: otherwise the same keys one by one say no more."""
        return not self.house.alive() or any(guest.framed or guest.ended for guest in self.house.guests)

    async def _first_heard(self, coming: Sequence[Shape]) -> Shape | None:
        """Two come in by all of these; the first object by which one is heard by the other."""
        pair: list[Guest] = []
        for saying in sayings(self.seen):
            if not pair or any(guest.ended for guest in pair):
                pair = [await self._inside([shape.template for shape in coming]) for _ in range(2)]
            if any(guest.ended for guest in pair) or self.house.unread(*pair) > 0:
                return None  # it reads no more of what it was sent
            if await self._heard(pair[0], pair[1], saying.template):
                return saying
        return None

    async def _least(self, coming: Sequence[Shape], saying: Shape) -> tuple[str | None, str] | None:
        """The fewest keys that still do; None where it takes all of them: then it was not the keys that were read."""
        naming: Shape | None = None
        if not await self._works(None, saying.template):
            for shape in coming:
                if await self._works(shape.template, saying.template):
                    naming = shape
                    break
            naming = naming or coming[0]
            naming = await self._smallest(naming, lambda shape: self._works(shape.template, saying.template))
        come = naming.template if naming is not None else None
        named = await self._works(come, saying.template, named=True)
        saying = await self._smallest(saying, lambda shape: self._works(come, shape.template, named=named))
        parts = (
            saying.kinds,
            saying.names,
            saying.texts,
            *((naming.kinds, naming.names) if naming is not None else ()),
        )
        return (come, saying.template) if all(len(part) <= 1 for part in parts) else None

    async def _smallest(self, shape: Shape, works: Callable[[Shape], Awaitable[bool]]) -> Shape:
        for group, fewer in smaller(shape, self.seen):
            for candidate in fewer:
                tried = replace(shape, **{group: getattr(candidate, group)})
                if await works(tried):
                    shape = tried
                    break
        return shape

    async def _works(self, naming: str | None, saying: str, *, named: bool = False) -> bool:
        """Whether two new ones hear each other so; `named`: with the speaker's name."""
        one, other = [await self._inside([naming] if naming is not None else []) for _ in range(2)]
        if one.ended or other.ended:
            return False
        heard = await self._heard(one, other, saying)
        good = heard and (not named or stands_in(one.name, other.new)) and await self._heard(other, one, saying)
        for guest in (one, other):
            guest.go()
        await self.house.settle()
        return good

    async def _inside(self, templates: Sequence[str]) -> Guest:
        guest = await self.house.guest()
        await self.house.settle()
        for template in templates:
            if guest.ended or self.house.unread(guest) > 0:
                break
            guest.send(self.manner.sending().encode(fill(template, name=guest.name).encode()))
            await self.house.settle()
        return guest

    async def _heard(self, speaker: Guest, listener: Guest, template: str) -> bool:
        """Whether the words of an object reach the other. The object itself does not count: that is passed on unread."""
        self._number += 1
        words = tokens.make(self.house.guests.index(speaker) % 36, self._number, "hello")
        for guest in self.house.guests:
            guest.heed()
        spoken = fill(template, name=speaker.name, text=f"hello {words}").encode()
        speaker.send(self.manner.sending().encode(spoken))
        await self.house.settle(until=lambda: words.encode() in listener.new)
        return words.encode() in listener.new and spoken not in listener.new
