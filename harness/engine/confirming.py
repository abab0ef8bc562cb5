"""Confirming a dialect: a fresh instance, new names, three clients who follow it to the letter; then its commands.

Only what three clients (two where no third fits) confirm is believed. The commands come last, on a client that may be
lost; nothing that might stop a server is ever sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from harness.dialect import promises, tokens
from harness.dialect.framing import Framing
from harness.dialect.hypotheses import LEAVE_WORDS, LIST_WORDS, WHISPER_WORDS, commands, is_refusal, unknown_words
from harness.dialect.json_keys import relatives, whispers
from harness.dialect.json_words import LEAVES, LISTS, TARGETS
from harness.dialect.masking import fold, mask, stands_in, text_of
from harness.dialect.profile import Names, Profile, fill, is_json
from harness.engine import grounds
from harness.engine.grounds import Ground
from harness.engine.guests import Guest, House
from harness.engine.promised import another_name, renamings, resumes
from harness.engine.trying import tried

#: A message is said again so often: some servers list a client only after its first one.
HELLOS = 3
#: How long is waited for the words of a login, and for a message, in calm seconds.
EXPECT_S, HEAR_S = 2.0, 1.3
#: A server that has rested for so long before it passed a message on gathers its words, in seconds.
UNHURRIED_S = 0.1
#: Names that are longer than most servers want, and ones that many still take.
LONG_NAMES = (24, 20, 16, 12, 10)
#: So many more come at the end, to see whether there is a limit.
CROWD = 20
_FAREWELL = re.compile(r"\b(good ?)?bye\b|tchau|adeus|adios|ate logo|ate mais|hasta|desconecta|disconnect|au revoir")
#: So long is waited for those of them who are not answered, all together, in seconds.
CROWDED_S = 4.0
_HELP = re.compile(r"(?<!\w)([/.!?](?:help|ajuda|ayuda|comandos|commands|aide|aiuto))\b")


@dataclass
class Confirmed:
    """What came of it: the profile with what was learned on top, or why not."""

    profile: Profile | None = None
    why_not: str = ""
    unknown: list[str] = field(default_factory=list)
    grounds: dict[str, Ground] = field(default_factory=dict)


class Confirmation:
    """One profile on one fresh instance."""

    def __init__(self, house: House, profile: Profile, *, words: Sequence[str] = (), polite: bool = False) -> None:
        self.house = house
        self.profile = profile
        self.words = tuple(words)
        self.polite = polite
        self.learned: dict[str, object] = {}
        self.unknown: list[str] = []
        self.grounds: dict[str, Ground] = {}
        self._all_heard = 0
        self._number = 0
        self._slowest_s = 0.0
        self._login_s = 0.0  # the slowest answer to a step of a login
        self._spared_s = CROWDED_S
        self.greeting = b""
        self.proved_at = 0
        house.spoken = profile
        if profile.framing_name("receive") not in ("line", "chunk"):
            house.manner = profile

    async def hold(self) -> Confirmed:
        """Three come in, each is heard by those before; then everybody by everybody."""
        guests: list[Guest] = []
        for number in range(3):
            guest = await self.house.guest()
            await self.house.settle(at_least_s=0.03)
            why = await self._comes_in(guest, guests)
            if why is not None:
                if number < 2 or not await self._no_room(guest, guests):
                    return Confirmed(why_not=why)
                self.learned["max_clients"] = 2
                break
            guests.append(guest)
        for one in guests:
            if not await self._heard(one, [g for g in guests if g is not one]):
                return Confirmed(why_not=f"{one.name} was heard once and then no more")
        if (why := self._attribution_differs(guests)) is not None:
            return Confirmed(why_not=why)
        self._proved(guests)
        self.house.tell()
        self.proved_at = len(self.house.transcript)
        await self._features(guests)
        return self.so_far()

    def so_far(self) -> Confirmed:
        """What has been learned up to now."""
        return Confirmed(self.profile.model_copy(update=self.learned), unknown=self.unknown, grounds=self.grounds)

    def _proved(self, guests: list[Guest]) -> None:
        """What these few have shown of how one comes in and speaks."""
        clients = {"clients": len(guests)}
        self.grounds["say"] = Ground(grounds.HEARD, {"messages": self._all_heard, **clients})
        self.grounds["attributes"] = Ground(
            grounds.NAMED if self.profile.attributes == "server" else grounds.NAMELESS, clients
        )
        if self.profile.max_clients is None and "max_clients" in self.learned:
            self.grounds["max_clients"] = Ground(grounds.FULL, {"came": len(self.house.guests), **clients})
        for key, needs_names in (("leave", False), ("list", True), ("whisper", True)):
            if len(guests) < 3:
                self.grounds[key] = Ground(grounds.FEW, clients)
            elif needs_names and not self.profile.named:
                self.grounds[key] = Ground(grounds.NAMELESS_NOT)
        renamed = self.profile.rename is not None
        self.grounds["rename"] = Ground(grounds.RENAMED, clients) if renamed else Ground(grounds.RENAMES_NOT)

    # -- coming in -----------------------------------------------------------------------------------------------

    async def _comes_in(self, guest: Guest, others: list[Guest]) -> str | None:
        """Why it did not get in; None when it did and is heard."""
        before = {g.name: len(g.raw) for g in others}
        answered = False
        waited = True
        for step in self.profile.login:
            waited = waited or step.expect is not None
            self.greeting = self.greeting or (b"" if answered else bytes(guest.raw))
            answered = answered or step.send is not None
            if step.expect is not None and not await self._expect(guest, fill(step.expect, name=guest.name)):
                return f"{guest.name} waited for {step.expect!r}"
            if step.send is not None:
                self._answers(guest, step.send, asked=waited)
                waited = False
                await self.house.settle()
        if guest.ended:
            return f"the server ended {guest.name}'s connection"
        shown = {g.name: text_of(bytes(g.raw[before[g.name] :])) for g in others}
        if not others:
            return None
        said = await self._heard(guest, others)
        if said is None and len(others) == 1 and not guest.ended:
            await self.say(others[0])  # some list a client only after its first message
            await self.house.settle()
            said = await self._heard(guest, others)
            if said is not None:
                self.learned["speak_first"] = True
        if said is None:
            return f"nobody heard {guest.name}"
        if said > 1 and not self.profile.named and not self.learned.get("speak_first"):
            return f"the first words of {guest.name} were not heard: they were taken for something else"
        return self._overheard(guest, others, shown)

    def _overheard(self, guest: Guest, others: list[Guest], shown: dict[str, str]) -> str | None:
        """Whether the answer to the login went round as a message: then it was none."""
        if not self.profile.named:
            return None
        for other in others:
            fronts = [mask(line.split(guest.name)[0]).strip() for line in re.split(r"[\r\n\0]", shown[other.name])
                      if line.strip().endswith(guest.name)]  # fmt: skip
            if (
                fronts
                and mask(self._front(other)).strip() in fronts
                and not stands_in(guest.name, self._front(other).encode())
            ):
                return f"the name of {guest.name} went round as a message"
        return None

    async def _expect(self, guest: Guest, words: str) -> bool:
        def seen() -> bool:
            return fold(words) in fold(text_of(guest.new)) or guest.ended is not None

        began = self.house.clock.now()
        await self.house.settle(until=seen)
        if not seen():
            longest = EXPECT_S / 4 if guest.new.strip() else EXPECT_S  # something else was answered
            longest *= not is_refusal(text_of(guest.new))
            await self.house.settle(at_least_s=longest * self.house.options.patience, until=seen)
        came = fold(words) in fold(text_of(guest.new))
        self._login_s = max(self._login_s, self.house.clock.now() - began) if came else self._login_s
        return came

    async def _no_room(self, guest: Guest, guests: list[Guest]) -> bool:
        """Whether a third is simply not served, while the two go on."""
        server = self.house.server
        outside = server is not None and server.waiting_outside() > 0
        return (guest.ended is not None or outside or not guest.raw) and bool(await self._heard(guests[0], guests[1:]))

    def _framing(self) -> Framing:
        return self.profile.sending()

    # -- speaking ------------------------------------------------------------------------------------------------

    async def _heard(self, one: Guest, others: list[Guest]) -> int | None:
        """At which attempt all the others heard it; None when they never did."""
        said: list[bytes] = []
        began = self.house.clock.now()
        for attempt in range(1, HELLOS + 1):
            asked, calm, served = self.house.clock.now(), self.house.clock.calm(), self.house.served()
            words = await self.say(one)
            said.append(words)

            def heard(which: list[bytes]) -> bool:
                return one.ended is not None or all(any(w in g.raw for w in which) for g in others)

            await self.house.settle(until=lambda: heard(said[-1:]))
            if not heard(said[-1:]):
                longest = max(HEAR_S * self.house.options.patience / 2, 1.5 * self._slowest_s)
                if await self.house.settle(at_least_s=longest, until=lambda: heard(said)):
                    self.house.came_late(self.house.clock.now() - began)
            if one.ended:
                return None
            if heard(said[-1:]) and self.house.rested_s(served, calm) > UNHURRIED_S:
                self.house.came_late(self.house.clock.now() - asked)
            if heard(said[-1:]) or heard(said):
                self._slowest_s = max(self._slowest_s, self.house.clock.now() - began)
                self._all_heard += 1
                await self.house.settle()
                return attempt
        return None

    async def say(self, one: Guest, words: str = "", template: str | None = None, **values: str) -> bytes:
        """Say something with a token; the whole text as it must arrive."""
        self._number += 1
        words = words or f"message {self._number}"
        text = f"{words} {tokens.make(self.house.guests.index(one), self._number, words)}"
        for guest in self.house.guests:
            guest.heed()
        spoken = fill(template or self.profile.say, text=text, name=one.name, **values)
        one.send(self._framing().encode(spoken.encode()))
        return text.encode()

    def _front(self, listener: Guest) -> str:
        """What stood before the last message that this one heard."""
        text = text_of(listener.new)
        found = re.search(r"([^\r\n\0]*?)\w[^\r\n\0]*? xq[0-9a-z]{9}", text)
        return found[1] if found else ""

    def _attribution_differs(self, guests: list[Guest]) -> str | None:
        """A server that is said to put the names in front must do so."""
        if self.profile.attributes == "client" or not self.profile.named:
            return None
        last = guests[-1]
        if not any(stands_in(last.name, g.new) for g in guests[:-1]):
            return f"the name of {last.name} did not stand with its words"
        return None

    # -- what else it can do -------------------------------------------------------------------------------------

    async def _features(self, guests: list[Guest]) -> None:
        shown = "\n".join(text_of(bytes(g.raw)) for g in self.house.guests)
        shown += await self._help(guests, shown)
        if len(guests) == 3:
            await self._list(guests, shown)
            await self._whisper(guests, shown)
            await self._unknown(guests, shown)
            await self._promises(guests, shown)
        limitless = self.profile.named and self.profile.attributes == "server" and self.profile.names.max is None
        if limitless and not self.polite and len(guests) == 3:
            await self._name_limits(guests)
        await self._crowd(guests)
        await self._leave(guests, shown)

    def _candidates(
        self, shown: str, usual: Sequence[str], bare: Sequence[str], rare: Sequence[str], pattern: str
    ) -> list[str]:
        """Words to try: those that the server's text or its source names, then the usual ones where that is allowed."""
        text = fold(shown)
        known = [w for w in (*usual, *bare, *rare) if re.search(rf"(?<![\w/]){re.escape(fold(w))}(?![\w])", text)]
        hinted = [w for w in self.words if re.fullmatch(pattern, fold(w))]
        blind = [] if self.polite else [*usual, *bare]
        if self.polite:
            known = [w for w in known if not w.isalpha()]
        return list(dict.fromkeys([*known, *hinted, *blind]))

    async def _help(self, guests: list[Guest], shown: str) -> str:
        found = _HELP.search(fold(shown))
        if found is None:
            return ""
        guests[0].heed()
        await self._command(guests[0], found[1])
        return "\n" + text_of(guests[0].new)

    async def _command(self, guest: Guest, text: str) -> bool:
        """Say this and see what comes of it; False as soon as it went round as a message: it is no command.

        It went round when each of the first three was shown it: a welcome, which may name the command, has one reader.
        """
        others = [one for one in self.house.guests[:3] if one is not guest]
        for one in self.house.guests:
            one.heed()
        guest.send(self._framing().encode(text.encode()))
        return not await self.house.settle(until=lambda: all(text.encode() in one.new for one in others))

    async def _list(self, guests: list[Guest], shown: str) -> None:
        """Asked by the first: the answer names the two others, and nobody else is told."""
        if self.profile.list is not None or not self.profile.named:
            return None
        first, second, third = guests
        words = self._candidates(shown, LIST_WORDS, BARE_LISTS, SHOWN_LISTS, r"[/!.]?(list\w*|users?|who|online|usuarios|names|membros|clients?|members)")  # fmt: skip
        if is_json(self.profile.say):
            words = relatives(self.profile.say, LISTS)
        for word in words[:12]:
            if not await self._command(first, word):
                continue
            if first.ended or not self.house.alive():
                return self._missed(f"{word!r} ended the connection")
            answer = first.new
            if stands_in(second.name, answer) and stands_in(third.name, answer) and not second.new.strip():
                self.learned["list"] = word
                self.grounds["list"] = Ground(grounds.LISTED)
                return None
        self._tried("list", len(words[:12]))
        return self._missed(NO_LIST)

    async def _whisper(self, guests: list[Guest], shown: str) -> None:
        """From the first to the second. That the words of the command are gone shows that it was understood."""
        if self.profile.whisper is not None or not self.profile.named:
            return None
        first, second, third = guests
        named = [
            c.template
            for c in commands(shown)
            if c.use == "whisper" and not fold(c.word).startswith(("/join", "/room"))
        ]
        hinted = [w for w in self.words if "{to}" in w]
        usual = [f"{word} {{to}} {{text}}" for word in WHISPER_WORDS if not self.polite or word in fold(shown)]
        at = [] if self.polite and not re.search(r"@\w", shown) else ["@{to} {text}"]
        templates = list(dict.fromkeys([*named, *hinted, *usual, *at]))[:11]
        by_keys = is_json(self.profile.say)
        if by_keys:
            templates = [one for target in TARGETS for one in whispers(self.profile.say, (target,))]
        for template in templates:
            if not by_keys and template.split()[0] == self.profile.say.split()[0] and len(self.profile.say.split()) > 1:
                continue
            text = await self.say(first, template=template, to=second.name)
            overheard = await self.house.settle(until=lambda t=text: t in third.new)  # type: ignore[misc]
            if overheard and not (
                template in named
                and understood(template, second.name, text_of(second.new), text.decode())
                and not understood(template, second.name, text_of(third.new), text.decode())
            ):
                continue
            if first.ended or not self.house.alive():
                return self._missed(f"{template!r} ended the connection")
            if understood(template, second.name, text_of(second.new), text.decode(), word=not by_keys):
                self.learned["whisper"] = template
                self.grounds["whisper"] = Ground(grounds.OVERHEARD if overheard else grounds.WHISPERED)
                return None
        self._tried("whisper", len(templates))
        return self._missed("how one speaks to one other alone (if one can)")

    async def _unknown(self, guests: list[Guest], shown: str) -> None:
        """Words that the server or its source shows and that tell nothing: what comes of each."""
        known = [
            t for t in (*(s.send for s in self.profile.login), self.profile.say, *map(str, self.learned.values())) if t
        ]
        heads = [re.split(r"[\s{|:]", t)[0] for t in known]
        hinted = [w for w in self.words if w[0] in "/.!\\" and " " not in w and w not in heads]
        words = list(dict.fromkeys([*unknown_words(shown, heads), *unknown_words(" ".join(hinted), heads)]))
        if self.polite or is_json(self.profile.say) or not words:
            return
        found = await tried(
            words,
            guests[1:] if self.profile.named else guests,
            self._spare,
            self._command,
            lambda g: self._goes(g, guests),
        )
        if found.list and self.profile.named and "list" not in self.learned and self.profile.list is None:
            self.learned["list"] = found.list
            self.grounds["list"] = Ground(grounds.LISTED)
            self.unknown = [told for told in self.unknown if told != NO_LIST]
        if found.leave and self.house.alive() and await self._heard(guests[0], guests[1:]):
            self.learned["leave"] = found.leave
            self.grounds["leave"] = Ground(grounds.LEFT)

    async def _promises(self, guests: list[Guest], shown: str) -> None:
        """Another name, an idle time, a session that is kept: what the server says that it does."""
        first = text_of(bytes(guests[0].raw))
        idle, at_the_door = promises.idle_s(first), promises.idle_s(text_of(self.greeting))
        if idle is not None and self.profile.idle is None:
            self.learned |= {"idle": idle, "idle_once_in": bool(self.profile.login) and at_the_door is None}
            self.grounds["idle"] = Ground(grounds.PROMISED)
        if not self.profile.named or self.polite or is_json(self.profile.say):
            return

        async def connects() -> Guest:
            guest = await self.house.guest()
            await self.house.settle(at_least_s=0.1)
            return guest

        async def says(guest: Guest) -> bytes:
            text = await self.say(guest)
            await self._reaches(guests[0], text)
            return text

        if self.profile.rename is None and self.profile.attributes == "server":
            templates = renamings(self.profile, shown, self.words)
            found = await another_name(templates, guests[0], self._spare, self._command, says)
            if found is not None:
                self.learned["rename"] = found
                self.grounds["rename"] = Ground(grounds.RENAMED_ONCE)
            elif templates:
                self._tried("rename", len(templates))
        kept = promises.resumption([(g.name, text_of(bytes(g.raw))) for g in guests[:2]])
        if self.profile.resume is None and kept is not None:
            if await resumes(kept, await self._spare(), connects, self._command):
                self.learned["resume"] = kept
                self.grounds["resume"] = Ground(grounds.RESUMED)
            else:
                self._missed("how a session is taken up again")

    async def _name_limits(self, guests: list[Guest]) -> None:
        for length in LONG_NAMES:
            name = ("bartholomewbartholomewxyz"[: length - 1] + "qvw"[len(self.house.guests) % 3])[:length]
            guest = await self._spare(name)
            if guest is not None:
                text = await self.say(guest)
                await self._reaches(guests[0], text)
                shown = text_of(guests[0].new).split(text.decode())[0]
                known = max((n for n in range(3, length + 1) if name[:n] in shown), default=0)
                if text in guests[0].new and known == length:
                    if length < LONG_NAMES[0]:
                        self.learned["names"] = Names(max=length)
                    return
                if text in guests[0].new and known >= 3:
                    self.learned["names"] = Names(max=known)
                    return
        self._missed("how long a name may be")

    async def _reaches(self, listener: Guest, text: bytes) -> bool:
        """Whether these words come, in twice the time that others took."""
        longest = max(HEAR_S / 4, 2.5 * self._slowest_s)
        await self.house.settle(at_least_s=longest, until=lambda: text in listener.new)
        await self.house.settle()
        return text in listener.new

    async def _spare(self, name: str | None = None) -> Guest | None:
        guest = await self.house.guest(name)
        await self.house.settle(at_least_s=0.03)
        waited = True
        for step in self.profile.login:
            waited = waited or step.expect is not None
            if step.expect is not None and not await self._expect(guest, fill(step.expect, name=guest.name)):
                self._sent_away(guest)
                return None
            if step.send is not None:
                self._answers(guest, step.send, asked=waited)
                waited = False
                await self.house.settle()
        return None if guest.ended else guest

    async def _crowd(self, guests: list[Guest]) -> None:
        """So many come in a row that a limit shows: from some number on nobody hears any more."""
        if self.polite or self.learned.get("max_clients") or not self.house.alive():
            return
        here = [guest for guest in self.house.guests[1:] if guest.ended is None and not guest.left]
        crowd = [await self._one_of_many() for _ in range(CROWD)]
        await self.house.settle(at_least_s=0.05)
        if self.learned.get("speak_first"):
            for guest in crowd:
                await self.say(guest)
        inside: list[list[Guest]] = []
        for _ in range(2):
            words = await self.say(guests[0])
            longest = max(HEAR_S / 2, 2.5 * self._slowest_s)
            await self.house.settle(at_least_s=longest, until=lambda w=words: all(w in g.raw for g in crowd))  # type: ignore[misc]
            inside.append([g for g in self.house.guests if words in g.raw and g is not guests[0]])
            if set(crowd) <= set(inside[-1]):
                return
            if inside[-1] != [*here, *crowd][: len(inside[-1])]:
                return  # who came later is in, and who came before is not: that is no limit
        if inside[0] == inside[1] and set(guests[1:]) <= set(inside[0]) and self.house.alive():
            self.learned["max_clients"] = 1 + len(inside[0])
            came = {"came": len(self.house.guests), "clients": 1 + len(inside[0])}
            self.grounds["max_clients"] = Ground(grounds.FULL, came)

    async def _one_of_many(self) -> Guest:
        """Comes in as soon as it is answered, one after the other: a race between them would be another matter."""
        guest = await self.house.guest()
        waited = True
        for step in self.profile.login:
            waited = waited or step.expect is not None
            if guest.ended is None and step.expect is not None:
                await self._expect_soon(guest, fold(fill(step.expect, name=guest.name)))
            if guest.ended is None and step.send is not None:
                self._answers(guest, step.send, asked=waited)
                waited = False
        if self.profile.login:  # else there is nothing that it could be answered, and who connects first is in first
            await self.house.settle(until=lambda: bool(guest.new))
        return guest

    def _answers(self, guest: Guest, answer: str, *, asked: bool) -> None:
        """Send an answer of the login. What came since an earlier one that nothing was awaited after is still to be read."""
        if asked:
            guest.heed()
        guest.send(self._framing().encode(fill(answer, name=guest.name).encode()))

    async def _expect_soon(self, guest: Guest, words: str) -> None:
        """As long as the first ones waited, while there is patience left for the whole crowd: some servers let their
        clients in once a second, and others not at all."""

        def seen() -> bool:
            return words in fold(text_of(guest.new)) or guest.ended is not None

        await self.house.settle(until=seen)
        if not seen() and self._spared_s > 0:
            began = self.house.clock.now()
            await self.house.settle(at_least_s=min(self._spared_s, 2 * self._login_s), until=seen)
            self._spared_s -= 0.0 if seen() else self.house.clock.now() - began

    def _sent_away(self, guest: Guest) -> None:
        """One that was not let in goes: where names are read in the accept loop it would stand in everybody's way."""
        guest.go()

    async def _leave(self, guests: list[Guest], shown: str) -> None:
        """The last thing that the last one does; the others must still hear each other."""
        if self.profile.leave is not None or "leave" in self.learned or len(guests) < 3:
            return
        going = guests[-1]
        named = _leave_phrases(shown)
        words = self._candidates(shown, LEAVE_WORDS, BARE_LEAVES, SHOWN_LEAVES, r"[/!.:{]?(quit|exit|sair|leave|bye|salir|q|logout|tchau|close_connection|disconnect|quitter|adeus|fim)\}?!?")  # fmt: skip
        names = [guest.name for guest in self.house.guests]
        if is_json(self.profile.say):
            named, words = relatives(self.profile.say, LEAVES), []
        words = [w for w in dict.fromkeys([*named, *words]) if not any(n in w for n in names)][:18]
        self._tried("leave", len(words))
        for word in words:
            if not await self._command(going, word):
                continue
            await self._goes(going, guests[:2])
            if going.ended is not None:
                if self.house.alive() and await self._heard(guests[0], [guests[1]]):
                    self.learned["leave"] = word
                    self.grounds["leave"] = Ground(grounds.LEFT)
                else:
                    self._missed(f"{word!r} stopped the server")
                return
        self._missed("a word for leaving (if there is one)")

    async def _goes(self, going: Guest, others: list[Guest]) -> None:
        """A goodbye, or a word to the others: then the end of the connection is on its way, and is waited for."""
        bids = _FAREWELL.search(fold(text_of(going.new))) is not None
        if going.ended is None and (bids or any(stands_in(going.name, other.new) for other in others)):
            await self.house.settle(at_least_s=HEAR_S, until=lambda: going.ended is not None)

    def _tried(self, key: str, count: int) -> None:
        """So many words were tried for it, and none was the one."""
        self.grounds[key] = Ground(grounds.BLIND if self.polite else grounds.TRIED, {"count": count})

    def _missed(self, what: str) -> None:
        """Something that could not be found out, for the user to read."""
        self.unknown.append(what)


#: Words that are said only where the server's text has them.
SHOWN_LISTS = ("lista", "listar", "quem", "quien", "quienes", "usuarios", "qui", "wer", "chi", "online", "who")
SHOWN_LEAVES = (
    "tchau",
    "salir",
    "chau",
    "adios",
    "fim",
    "fin",
    "ciao",
    "ende",
    "partir",
    "leave",
    "logout",
    "SAIR",
    "BYE",
    "SALIR",
)
NO_LIST = "how one asks who is there (if one can)"
BARE_LISTS = ("LIST", "list", "WHO", "USERS", "users")
BARE_LEAVES = ("quit", "exit", "QUIT", "sair", "bye", "EXIT", "{quit}", "!quit", ":q")
_LEAVE_BY = r"(?:quit|exit|leave|sair|salir|quitter|desconectar|disconnect)\b[^.\n]{0,16}\b(?:type|digite|use|escriba|escribe|write|send|press|enter|envie|mande)"
_TO_LEAVE = r"(?:to|para|pour|a fin de)\s+(?:quit|exit|leave|disconnect|sair|salir|quitter|end|desconectar|close)"


def _leave_phrases(shown: str) -> list[str]:
    """`type 'bye' to leave`: the word, as it stands there."""
    found = re.findall(rf"['\"`<]?([/!:.{{\\]?\w{{1,12}}[}}!]?)['\"`>]?,?\s+{_TO_LEAVE}", shown, re.IGNORECASE)
    found += re.findall(rf"{_LEAVE_BY}\s+['\"`<]?([/!:.{{\\]?\w{{1,12}}[}}!]?)", shown, re.IGNORECASE)
    return [w for w in found if fold(w) not in ("enter", "command", "comando", "stop", "shutdown")]


Wait = Callable[[], bool]


def understood(template: str, to: str, shown: str, words: str, *, word: bool = True) -> bool:
    """Whether somebody was shown these words without the command (`word`) and the addressee in front of them.

    Where the addressee was, and another saw the command as it was typed, the server whispers and tells everybody as well.
    """
    line = next((x for x in re.split(r"[\r\n\0]", shown) if words in x), "")
    front = line.split(words)[0]
    return bool(line) and not (word and template.split()[0] in front) and not re.search(rf"@?{to}\W*$", front.strip())
