"""One conversation with an unknown server: two guests come in, speak, and it is looked at who heard what, and how.

A guess may say how to come in and how to speak; what it leaves open is found out on the way: the greeting's question is
answered, the name is sent without its newline first and the newline alone afterwards (so one login settles what a
message is), and what is refused is read for the command that would have been right.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.dialect import tokens
from harness.dialect.hypotheses import Ask, commands, first_question, is_refusal, next_question, room_answer
from harness.dialect.irc import sounds_like_irc
from harness.dialect.manners import shown
from harness.dialect.masking import fold, mask, stands_in, text_of
from harness.dialect.profile import fill
from harness.engine.borders import blanks_swallowed, framed_apart
from harness.engine.guests import Guest, House
from harness.engine.reading import PATIENT_GREETING_S, Guess, PasswordAsked, Reading, Step, Told

#: A message that nobody has heard may still be on its way: a server may flush once a second.
LATE_S = 1.3
#: Half a message is looked for at least so long, and two and a half times as long as a whole one took.
HALF_S = 0.2
#: A greeting that comes in parts is over when nothing more has come for so long; it is not listened to for longer, in seconds.
PART_S, LONGEST_GREETING_S = 0.5, 8.0
#: Answers that a login may need.
MOST_STEPS = 5
#: Ways to speak when bare words are not taken, the most usual first.
SAYINGS = ("MSG {text}", "/msg {text}", "SAY {text}", "/say {text}", "SEND {text}", "BROADCAST {text}", "/all {text}",
           "MESSAGE {text}", "/broadcast {text}", "msg:{text}", "message:{text}", "CHAT {text}", "MSG:{text}", "MSG|{text}")  # fmt: skip
#: Commands by which a name may be given when nothing says so.
NAMINGS = ("/nick {name}", "NICK {name}", "JOIN {name}", "/name {name}", "LOGIN {name}", "/login {name}", "USER {name}",
           "NAME {name}", "name:{name}", "CONNECT {name}", "REGISTER {name}", "/user {name}", "HELLO {name}", "NICK:{name}",
           "JOIN:{name}", "LOGIN:{name}", "/register {name}", "/join {name}", "/entrar {name}", "JOIN|{name}")  # fmt: skip
ROOMS = ("/join {room}", "JOIN {room}", "/entrar {room}", "/room {room}")


class Conversation:
    """The experiment itself. `hold` gives the reading; it raises PasswordAsked."""

    def __init__(
        self, house: House, guess: Guess, *, polite: bool = False, hints: tuple[str, ...] = (), maybe_irc: bool = False
    ) -> None:  # fmt: skip
        self.maybe_irc = maybe_irc
        self.house = house
        self.guess = guess
        self.polite = polite
        self.hints = hints
        self.reading = Reading(guess, say=guess.say, hinted="chunk" if guess.manner else guess.framing)
        house.manner = guess.manner
        self._number = 0
        self._slowest_s = 0.0

    async def hold(self) -> Reading:
        """Two come, speak, and are looked at."""
        reading = self.reading
        zelda = await self.house.guest()
        await self.house.settle(at_least_s=self.guess.greeting_s)
        reading.greeting = bytes(zelda.raw)
        if self.guess.manner is None and any(m.framing != "nul" for m in shown(reading.greeting)):
            return reading  # words would only put it out of step
        yuri = await self.house.guest()
        await self.house.settle(at_least_s=min(0.08, self.guess.greeting_s))
        if len(zelda.raw) > len(reading.greeting) > 0 and await self._goes_on(yuri):
            reading.greeting = bytes(zelda.raw)
        reading.second_greeting = bytes(yuri.raw)
        reading.in_turn = bool(reading.greeting) and not reading.second_greeting
        server = self.house.server
        reading.not_accepted = server is not None and server.waiting_outside() > 0
        for guest in (zelda, yuri):
            await self._come_in(guest)
            if guest.ended:
                reading.ended += 1
                break
        if not reading.ended:
            if reading.not_accepted and server is not None:
                reading.in_turn, reading.not_accepted = True, server.waiting_outside() > 0
            await self._speak(zelda, yuri)
        tries = not self.guess.quick or any(guest.framed for guest in (zelda, yuri))
        reading.asked_late = not reading.works and self._asked_late(zelda)
        if reading.asked_late:
            return reading
        if not reading.works and not reading.ended and not self.polite and tries and not self._was_nonsense():
            await self._obstacles(zelda, yuri)
        if reading.works:
            await self._borders(zelda, yuri)
        if reading.works:
            self._look_at_messages(zelda, yuri)
            await self._third(zelda, yuri)
            await self._accents(zelda, yuri)
            await self._whole_values(zelda, yuri)
            await self._blank_lines(zelda, yuri)
        reading.unread = self.house.unread() > 0
        reading.others_shown = "\n".join(text_of(bytes(g.raw)) for g in self.house.guests)
        if not self.house.alive():
            reading.died = f"the server ended (exit status {server.exit_status() if server else '?'})"
        return reading

    async def _goes_on(self, last: Guest) -> bool:
        """Whether the last one to come is shown more and more without having said anything: a greeting in parts, with
        pauses between them. It is over after a longer silence."""
        parts, began = 0, self.house.clock.now()
        while not last.ended and self.house.clock.now() - began < LONGEST_GREETING_S:
            before = len(last.raw)
            await self.house.settle(at_least_s=PART_S * self.house.options.patience)
            if len(last.raw) == before:
                break
            parts += 1
        return parts > 0

    def _asked_late(self, guest: Guest) -> bool:
        """Whether a question stands in what this one was shown, and not in the greeting: it was answered too early."""
        reading, text = self.reading, text_of(bytes(guest.raw))
        if not reading.greeting.strip() or reading.asked is not None or is_refusal(text):
            return False
        early = self.guess.greeting_s < PATIENT_GREETING_S and self.guess.steps is None and self.guess.manner is None
        asked = first_question(text)
        return early and asked is not None and asked.want == "name"

    # -- coming in -----------------------------------------------------------------------------------------------

    async def _come_in(self, guest: Guest) -> None:
        reading, first = self.reading, not self.reading.names_heard
        guest.heed()
        reading.greetings.append((guest.name, bytes(guest.raw)))
        reading.names_heard[guest.name] = {}
        if first:
            if self.guess.steps is not None:
                reading.steps = list(self.guess.steps)
            else:
                reading.asked = first_question(text_of(reading.greeting))
                reading.steps = [self._step(reading.asked, reading.greeting)]
        reply = b""
        for step in reading.steps:
            reply = await self._answer(guest, step.send)
            if guest.ended:
                return
        for _ in range(MOST_STEPS - len(reading.steps) if first else 0):
            named = any("{name}" in step.send for step in reading.steps)
            ask = next_question(text_of(reply), named=named)
            if ask is not None and ask.want == "password":
                raise PasswordAsked(text_of(reply).strip()[-80:])
            if ask is None:
                break
            further = self._step(ask, reply)
            if further.send in [s.send for s in reading.steps] or (named and "{name}" in further.send):
                break
            reading.steps.append(further)
            reply = await self._answer(guest, further.send)

    def _step(self, ask: Ask | None, shown: bytes) -> Step:
        if ask is None:
            return Step("{name}")
        if ask.want == "password":
            raise PasswordAsked(text_of(shown).strip()[-80:])
        return Step(ask.send.replace("{room}", room_answer(text_of(shown))), ask.expect)

    async def _answer(self, guest: Guest, template: str) -> bytes:
        """Send an answer; what came back. Without knowing what a message is: the words alone, then the newline."""
        reading, text = self.reading, fill(template, name=guest.name).encode()
        self._heed()
        if reading.hinted is not None:
            guest.send(self._framed(text, self._end()))
            await self.house.settle()
        else:
            guest.send(text)
            await self.house.settle()
            if self._reacted() or guest.ended:
                reading.hinted = "chunk"
            elif not guest.ended:
                guest.send(self.guess.newline.encode())
                await self.house.settle()
                if self._reacted():
                    reading.hinted = "line?"
        shown = {g.name: g.new for g in self.house.guests}
        if "{name}" in template:
            reading.names_heard[guest.name] = shown
        reply = guest.heed()
        reading.replies.append(reply)
        reading.answers.setdefault(template, []).append((guest.name, reply))
        return reply

    def _framed(self, text: bytes, end: bytes) -> bytes:
        """A message as it is sent: in the guess's manner, else with this end."""
        return text + end if self.guess.manner is None else self.guess.manner.sending().encode(text)

    def _end(self) -> bytes:
        bare = self.reading.hinted == "chunk" and not self.guess.ended
        return b"" if bare else self.guess.newline.encode()

    def _heed(self) -> None:
        for guest in self.house.guests:
            guest.heed()

    def _reacted(self) -> bool:
        return any(guest.new for guest in self.house.guests)

    # -- speaking ------------------------------------------------------------------------------------------------

    async def _speak(self, zelda: Guest, yuri: Guest) -> None:
        """Both, twice: many servers list a client only after its first message. Nothing is concluded before."""
        reading = self.reading
        for speaker, listener in ((zelda, yuri), (yuri, zelda)) * 2:
            if speaker.ended or listener.ended:
                reading.ended += 1
                return
            told = await self._say(speaker, (listener,))
            reading.replies.append(told.shown[speaker.name])
            if self._both_ways(zelda, yuri):
                return
        if (
            self.guess.quick
            or self._was_nonsense()
            or all(is_refusal(text_of(t.shown[t.speaker.name])) for t in reading.told)
        ):
            return
        await self.house.settle(at_least_s=LATE_S * self.house.options.patience, until=lambda: self._late(zelda, yuri))
        self._both_ways(zelda, yuri)

    def _late(self, zelda: Guest, yuri: Guest) -> bool:
        for told in reversed(self.reading.told):
            for guest in (zelda, yuri):
                if guest is not told.speaker and not told.heard_by(guest) and told.text.encode() in guest.new:
                    told.shown[guest.name] = guest.new
                    self._slowest_s = LATE_S
        return self._both_ways(zelda, yuri)

    def _both_ways(self, zelda: Guest, yuri: Guest) -> bool:
        """Whether each has heard the other."""
        heard = [
            any(t.speaker is one and t.heard_by(other) for t in self.reading.told)
            for one, other in ((zelda, yuri), (yuri, zelda))
        ]
        self.reading.works, self.reading.one_way = all(heard), any(heard)
        return self.reading.works

    async def _say(self, speaker: Guest, listeners: tuple[Guest, ...], *, template: str | None = None,
                   end: bytes | None = None, words: str = "") -> Told:  # fmt: skip
        self._number += 1
        words = words or f"hello {self._number}"
        token = tokens.make(self.house.guests.index(speaker), self._number, words)
        text = f"{words} {token}"
        self._heed()
        spoken = fill(template or self.reading.say, text=text, name=speaker.name).encode()
        speaker.send(self._framed(spoken, self._end() if end is None else end))

        def heard() -> bool:
            return all(text.encode() in g.new or g.ended for g in listeners)

        began = self.house.clock.now()
        if await self.house.settle(until=heard):
            self._slowest_s = max(self._slowest_s, self.house.clock.now() - began)
        await self.house.settle()
        told = Told(speaker, text, {g.name: g.new for g in self.house.guests})
        cut = text[:-1].encode()
        if any(cut in g.new and text.encode() not in g.new for g in listeners):
            self.reading.cuts_last = True
        self.reading.told.append(told)
        return told

    async def _obstacles(self, zelda: Guest, yuri: Guest) -> None:
        """They came in and are not heard: a name, a room must come first, or words must be said by a command.

        With words that look like IRC (`maybe_irc`: it was not tried yet) the commands of other chats would only be refused.
        """
        reading = self.reading
        if self.maybe_irc and sounds_like_irc(self._all_text(zelda, yuri).encode()):
            reading.sounded_like_irc = True
            return
        if reading.asked is None and reading.guess.steps is None and is_refusal(text_of(reading.replies[0])):
            reading.steps = []  # what was sent unasked was no name
            if await self._by_name(zelda, yuri):
                return
        if not await self._in_a_room(zelda, yuri):
            await self._by_command(zelda, yuri)

    async def _by_name(self, zelda: Guest, yuri: Guest) -> bool:
        """The commands that answers, hints and habit name; the first that is not refused is kept."""
        reading, text = self.reading, self._all_text(zelda, yuri)
        named = [c.template for c in commands(text) if c.use == "name"]
        hinted = [hint for hint in self.hints if "{name}" in hint]
        for template in dict.fromkeys([*named, *hinted, *NAMINGS]):
            reply = await self._answer(zelda, template)
            if zelda.ended:
                return False
            if not reply.strip() or is_refusal(text_of(reply)):
                continue
            reading.steps = [Step(template)]
            await self._answer(yuri, template)
            for speaker, listener in ((zelda, yuri), (yuri, zelda)):
                await self._say(speaker, (listener,))
            return self._both_ways(zelda, yuri)
        return False

    async def _in_a_room(self, zelda: Guest, yuri: Guest) -> bool:
        reading, text = self.reading, self._all_text(zelda, yuri)
        named = [c.template for c in commands(text) if c.use == "room"]
        hinted = [hint for hint in self.hints if "{room}" in hint]
        asked = (
            bool(named)
            or any(is_refusal(text_of(r)) for r in reading.replies)
            or re.search(r"room|sala|canal|channel", fold(text))
        )
        for template in dict.fromkeys([*named, *hinted, *(ROOMS if asked else ())]):
            step = Step(template.replace("{room}", room_answer(text)))
            if step.send in [s.send for s in reading.steps]:
                continue
            replies = [await self._answer(guest, step.send) for guest in (zelda, yuri) if not guest.ended]
            if zelda.ended or yuri.ended:
                return False
            if self._is_refused(replies[0]) and not commands(text_of(replies[0])):
                continue
            for speaker, listener in ((zelda, yuri), (yuri, zelda)):
                await self._say(speaker, (listener,))
            if self._both_ways(zelda, yuri):
                reading.steps.append(step)
                return True
            if replies[0] and not self._is_refused(replies[0]):
                reading.steps.append(step)
                if await self._by_command(zelda, yuri):
                    return True
                reading.steps.pop()
        return False

    def _was_nonsense(self) -> bool:
        """Whether the guessed command for a name was answered as bare words were, and not by an OK: it was none, and what
        else may stand in the way was tried without it."""
        if not self.guess.steps or not self.reading.replies:
            return False
        text = text_of(self.reading.replies[0]).strip()
        alike = any(mask(text) == mask(text_of(t.shown[t.speaker.name]).strip()) for t in self.reading.told[:1])
        return alike and bool(text) and re.match(r"\W*(ok\b|ack\b|2\d\d\b)", fold(text)) is None

    def _is_refused(self, reply: bytes) -> bool:
        """Whether an answer is a no: by its words, or because bare words, which nobody heard, were answered alike."""
        text, told = text_of(reply), self.reading.told[:1]
        alike = any(mask(text) == mask(text_of(t.shown[t.speaker.name])) for t in told)
        return bool(text.strip()) and (is_refusal(text) or alike)

    async def _by_command(self, zelda: Guest, yuri: Guest) -> bool:
        reading, text = self.reading, self._all_text(zelda, yuri)
        named = [c.template for c in commands(text) if c.use == "say"]
        hinted = [hint for hint in self.hints if "{text}" in hint and "{to}" not in hint]
        for template in dict.fromkeys([*named, *hinted, *SAYINGS]):
            if zelda.ended or yuri.ended:
                return False
            for speaker, listener in ((zelda, yuri), (yuri, zelda)):
                told = await self._say(speaker, (listener,), template=template)
                reading.replies.append(told.shown[speaker.name])
                if not told.heard_by(listener) and speaker is zelda:
                    break
            if self._both_ways(zelda, yuri):
                reading.say = template
                return True
        return False

    def _all_text(self, *guests: Guest) -> str:
        return "\n".join(text_of(bytes(g.raw)) for g in guests)

    # -- looking -------------------------------------------------------------------------------------------------

    async def _borders(self, zelda: Guest, yuri: Guest) -> None:
        """Half a message, without its newline: heard at once, it is a chunk, unless lines of one segment are parted.

        Who cuts each read at its newlines means lines, and fails to put together what TCP has cut.
        """
        reading = self.reading
        if self.guess.manner is not None:
            reading.framing = self.guess.manner.framing_name("send")
            return
        if reading.guess.framing in ("line", "chunk"):
            reading.framing = reading.guess.framing
            return
        half = await self._say(zelda, (yuri,), end=b"")
        if reading.cuts_last:
            reading.works = False  # once more, with the newline that this server takes away
            return
        if not half.heard_by(yuri):
            longest = max(HALF_S, 2.5 * self._slowest_s)
            await self.house.settle(at_least_s=longest, until=lambda: half.text.encode() in yuri.new)
            half.shown[yuri.name] = yuri.new
        reading.framing = "chunk" if half.heard_by(yuri) else "line"
        if reading.framing == "line":
            zelda.send(self.guess.newline.encode())
            await self.house.settle(until=lambda: half.text.encode() in yuri.new)
            await self.house.settle()
            reading.told.remove(half)
            return
        if yuri.ended or zelda.ended:
            return
        shown, texts = await self._lines_at_once(zelda, yuri, "\n")
        self._parts_lines(framed_apart(shown, texts, reading.say, zelda.name))

    async def _lines_at_once(self, zelda: Guest, yuri: Guest, end: str) -> tuple[bytes, list[str]]:
        """What is shown of three lines of unequal lengths in one segment, each with this end; and their texts."""
        self._number += 1
        words = ("one half", "and another", "but the third one")
        texts = [f"{w} {tokens.make(0, self._number * 3 + i, w)}" for i, w in enumerate(words)]
        self._heed()
        zelda.send("".join(fill(self.reading.say, text=t, name=zelda.name) + end for t in texts).encode())
        await self.house.settle(until=lambda: texts[-1].encode() in yuri.new)
        await self.house.settle()
        return bytes(yuri.new), texts

    async def _blank_lines(self, zelda: Guest, yuri: Guest) -> None:
        """Where messages are shown in no frame: is a blank line between two of them swallowed? To some it is a farewell."""
        reading = self.reading
        asked = reading.framing == "chunk" and reading.guess.framing is None and not reading.before.strip()
        if asked and not zelda.ended and not yuri.ended:
            shown, texts = await self._lines_at_once(zelda, yuri, "\n\n")
            self._parts_lines(blanks_swallowed(shown, texts))

    def _parts_lines(self, whether: bool) -> None:
        """Who parts messages at newlines means lines, although it waits for none."""
        self.reading.apart = whether
        self.reading.framing = "line" if whether else "chunk"

    def _look_at_messages(self, zelda: Guest, yuri: Guest) -> None:
        """What stands before the words: the name, an address, nothing; and whether the login was one."""
        reading = self.reading
        told = [(t, o) for t in reading.told for o in (zelda, yuri) if o is not t.speaker and t.heard_by(o)]
        ends = [t.shown[o.name].split(t.text.encode(), 1)[1] for t, o in told]
        reading.receive = "line" if ends and all(e.endswith(b"\n") for e in ends) else "chunk"
        if self.guess.manner is not None and any(guest.framed for guest in self.house.guests):
            reading.receive = self.guess.manner.framing_name("send")
        last, listener = told[-1]
        reading.before = last.before(listener)
        reading.named = stands_in(last.speaker.name, reading.before.encode())
        if reading.named:
            return
        for message, other in told:
            name = message.speaker.name
            shown = text_of(reading.names_heard.get(name, {}).get(other.name, b""))
            words = [w for w in re.split(r"[\r\n\0]", shown) if name in w]
            if not words:
                continue
            front, _, behind = words[0].partition(name)
            if self._same(front, message.before(other)) and not behind.strip():
                reading.login = False
            return

    def _same(self, one: str, other: str) -> bool:
        return mask(one).strip() == mask(other).strip()

    async def _third(self, zelda: Guest, yuri: Guest) -> None:
        """A third comes and speaks without logging in: is the first thing that it says a message, or its name?"""
        reading = self.reading
        wanda = await self.house.guest()
        await self.house.settle(at_least_s=0.05)
        reading.greetings.append((wanda.name, bytes(wanda.raw)))
        if wanda.ended or zelda.ended or yuri.ended:
            reading.third = False if wanda.ended else None
            return
        server = self.house.server
        if server is not None and server.waiting_outside() > 0:
            reading.third = False
            return
        reading.third = True
        asked = reading.asked is not None and reading.asked.want == "name" and reading.login
        if (asked or reading.named) and not self._by_a_command():
            return
        bare = reading.framing == "chunk" and not self.guess.ended
        end = b"" if bare else self.guess.newline.encode()
        first = await self._say(wanda, (zelda,), end=end)
        second = await self._say(wanda, (zelda,), end=end)
        heard_first, heard = first.heard_by(zelda), second.heard_by(zelda)
        if self._by_a_command():
            reading.optional = heard_first
        elif (
            heard_first
            and heard
            and self._same(first.before(zelda), second.before(zelda))
            and first.text not in text_of(second.shown[zelda.name]).split(second.text)[0]
        ):
            reading.login = False
        elif heard:
            reading.login = True

    async def _accents(self, zelda: Guest, yuri: Guest) -> None:
        """The last thing that is said here: a strict server may end somebody's connection for it."""
        if self.polite or zelda.ended or yuri.ended:
            return
        told = await self._say(yuri, (zelda,), words="olá coração")
        if not told.heard_by(zelda):
            longest = max(LATE_S / 2, 2.5 * self._slowest_s)
            await self.house.settle(at_least_s=longest, until=lambda: told.text.encode() in zelda.new)
            self.reading.ascii = told.text.encode() not in zelda.new

    async def _whole_values(self, zelda: Guest, yuri: Guest) -> None:
        """Two JSON values in one segment, at the very end: some read each chunk as one value, and fail."""
        manner = self.guess.manner
        if manner is None or manner.framing != "json" or zelda.ended or yuri.ended:
            return
        texts = [f"{w} value {tokens.make(0, 90 + i, w + ' value')}" for i, w in enumerate(("first", "second"))]
        self._heed()
        spoken = [fill(self.reading.say, text=text, name=zelda.name).encode() for text in texts]
        zelda.send(b"".join(manner.sending().encode(words) for words in spoken))
        await self.house.settle(until=lambda: all(text.encode() in yuri.new for text in texts))
        await self.house.settle(at_least_s=HALF_S, until=lambda: all(text.encode() in yuri.new for text in texts))
        self.reading.borders = all(text.encode() in yuri.new for text in texts)

    def _by_a_command(self) -> bool:
        return any("{name}" in s.send and s.send != "{name}" for s in self.reading.steps)


async def screened(house: House, namings: Sequence[str]) -> tuple[list[str], list[str]]:
    """Try commands for a name: those that seem to be understood, and the others. One that lets people be heard is enough.

    What is answered like nonsense was not understood, and leaves no trace: the same connection may ask again.
    """
    asking = await house.guest()
    nonsense = text_of(await _said(house, asking, "zzyzx qwerty"))
    understood: list[str] = []
    for naming in namings:
        if not house.alive():
            break
        one = asking if asking.ended is None and nonsense.strip() else await house.guest()
        text = text_of(await _said(house, one, fill(naming, name=one.name)))
        if text.strip() and (is_refusal(text) or mask(text) == mask(nonsense)):
            continue
        asking = other = await house.guest()
        await _said(house, other, fill(naming, name=other.name))
        for speaker, listener in ((one, other), (other, one)):
            words = tokens.make(house.guests.index(speaker), 1, "hello")
            await _said(house, speaker, f"hello {words}")
            if words.encode() in listener.new:
                rest = [n for n in namings if n != naming and n not in understood]
                return [naming, *understood], rest
        if text.strip() and not (one.ended or other.ended):
            understood.append(naming)
        asking = await house.guest()
    return understood, [n for n in namings if n not in understood]


async def _said(house: House, guest: Guest, words: str) -> bytes:
    for one in house.guests:
        one.heed()
    if not guest.ended:
        guest.send(words.encode() + b"\n")
        await house.settle()
    return guest.new
