"""A member of the chat: joins, says, hears, and leaves in every way there is.

Whatever it does and sees is written into the history; it judges nothing. A member is one connection; when the same
person comes back it is a new member of the same name (`visit` 2 and more).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harness.client.inbox import Inbox
from harness.client.wire import Wire
from harness.dialect import tokens as token_of
from harness.dialect.hypotheses import first_question, is_refusal
from harness.dialect.masking import missing_parts, text_of
from harness.dialect.profile import LoginStep, Profile, fill
from harness.history import (
    KEPT_NOTICE_BYTES,
    KEPT_NOTICES,
    WELL_BEHAVED,
    Answered,
    Ended,
    Ending,
    FirstByte,
    Heard,
    Introduced,
    Joined,
    JoinFailed,
    Leaving,
    Left,
    Noticed,
    Role,
    Said,
    Volume,
    Way,
)

if TYPE_CHECKING:
    from harness.client.log import Log

#: The longest that a single send may take before it counts as stalled, in seconds.
SEND_S = 5.0
#: Who sent many lines at once waits no longer than this before it speaks again, in seconds: a limit looks back as far.
MOST_SPENT_S = 2.0


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a member is: a nickname in the scenario, the name on the wire, the how manieth visit."""

    who: str
    name: str
    visit: int = 1
    role: Role = "bystander"
    way: Way = "direct"


class Member:
    """One client. Made by the room."""

    def __init__(self, conn: int, identity: Identity, profile: Profile, log: Log) -> None:
        self.conn = conn
        self.identity = identity
        self.who, self.name = identity.who, identity.name
        self.profile = profile
        self._log = log
        self._framing = profile.sending()
        self.inbox = Inbox(profile.receiving())
        self.wire: Wire | None = None
        self.joined = False
        self.left: Leaving | None = None
        self.ended: Ending | None = None
        self.token: str | None = None
        #: Whether others' messages must reach this member, and its own must reach them.
        self.counted = True
        #: Its first message was heard (or given up): from here on it is judged as one of the room.
        self.established = False
        #: Whether it answers the server's heartbeats; one that does not looks dead to the server.
        self.answers_heartbeats = True
        #: What it sends is no answer to the login: it is still outside, unless the server takes it in all the same.
        self.strays = False
        self._number = 0
        self._spoke = False
        self._last_send_s = float("-inf")

    def __repr__(self) -> str:
        return f"<{self.who} as {self.name!r} on connection {self.conn}>"

    @property
    def present(self) -> bool:
        """In the room, as far as this side knows."""
        return self.joined and self.left is None and self.ended is None

    # -- what comes ----------------------------------------------------------------------------------------------

    def bytes_came(self, data: bytes) -> None:
        """Called by the wire."""
        if self.inbox.total == 0:
            self._log.add(FirstByte(at_s=self._log.now(), conn=self.conn))
        now = self._log.now()
        units = self.inbox.feed(data)
        for unit, found in units:
            if found:
                self._hear(now, unit, found)
            elif self.joined and unit.strip() and self.inbox.notices < KEPT_NOTICES:
                self.inbox.notices += 1
                self._log.shown(self, Noticed(at_s=now, conn=self.conn, unit=unit[:KEPT_NOTICE_BYTES]))
        self._answer_heartbeats(data, [unit for unit, _ in units])
        self._log.beat()

    def _hear(self, now: float, unit: bytes, found: list[str]) -> None:
        for token in found:
            alone = len(set(found)) == 1
            self._log.shown(self, Heard(at_s=now, conn=self.conn, token=token, unit=unit[: 1 << 17], alone=alone))

    def _answer_heartbeats(self, data: bytes, units: list[bytes]) -> None:
        if self.profile.keepalive is None or not self.answers_heartbeats or self.left is not None or self.wire is None:
            return
        with contextlib.suppress(OSError):
            for answer in self.profile.keepalive.answers(data, units):
                self.wire.send_now(self._framing.encode(answer))

    def connection_ended(self, how: Ending) -> None:
        """Called by the wire."""
        self.ended = how
        self._log.add(Ended(at_s=self._log.now(), conn=self.conn, how=how))
        if self.wire is not None and self.left != "silent":
            self.wire.close()  # as any client does at the end of its input
        self._log.beat()

    # -- logging in ----------------------------------------------------------------------------------------------

    async def log_in(self, introduction: tuple[str, ...] | None, deadline_s: float) -> bool:
        """Walk through the dialect's login; then wait until the introduction is over. False when it did not work.

        `introduction` None: not known yet, the caller reads until it is quiet. Known, a login's last words belong to
        it: a server that says nothing at all there may have let the client in without a welcome.
        """
        asked, last, waited = self._log.now(), self.profile.login[-1:], True
        for step in self.profile.login:
            if step.expect is not None and not await self._expected(step, deadline_s):
                if introduction and step.send is None and (step,) == last and self._may_be_in():
                    break  # no word of welcome, and none of refusal: what it says now will show whether it is in
                return self._refused(asked, fill(step.expect, name=self.name), deadline_s)
            waited = waited or step.expect is not None
            if step.send is not None:
                if not await self.answer(fill(step.send, name=self.name), further=not waited):
                    return self._refused(asked, "to be allowed to answer", deadline_s)
                waited = False
        self.joined = True
        self._log.add(
            Joined(
                at_s=self._log.now(),
                conn=self.conn,
                name=self.name,
                asked_at_s=asked,
                intro=bytes(self.inbox.raw[:8192]),
            )
        )
        if introduction is not None and self.identity.role != "crowd":
            await self._introduction(introduction, self._log.reply_deadline_s)
        self._remember_token()
        return True

    def _may_be_in(self) -> bool:
        """Whether the server may have let it in without the usual welcome: in silence, or, as one who has been there
        before, with other words that neither refuse nor ask for anything."""
        shown = text_of(self.inbox.since_mark())
        other = self.identity.visit > 1 and not is_refusal(shown) and first_question(shown) is None
        return not self.gone and (other or not shown)

    async def _expected(self, step: LoginStep, deadline_s: float) -> bool:
        """Wait for a step's words; False when they did not come, or the server said no."""
        wanted = fill(step.expect or "", name=self.name)
        no = step.refused and fill(step.refused, name=self.name)

        def answered() -> bool:
            return self.gone or self.inbox.shows(wanted) or bool(no and self.inbox.shows(no))

        await self._log.wait("login", answered, deadline_s)
        return self.inbox.shows(wanted) or (step.optional and not self.gone)

    async def _introduction(self, wanted: tuple[str, ...], deadline_s: float) -> None:
        began = self._log.now()
        if wanted:
            await self._log.wait(
                "introduction",
                lambda: self.gone or not missing_parts(bytes(self.inbox.raw), wanted, self.name),
                deadline_s,
            )
        self._log.add(
            Introduced(
                at_s=self._log.now(),
                conn=self.conn,
                intro=bytes(self.inbox.raw[:16384]),
                waited_s=self._log.now() - began,
            )
        )

    async def resume_session(self, token: str, deadline_s: float) -> bool:
        """Come back into an earlier session: its token is said instead of the login's first answer."""
        if self.profile.resume is None:
            return False
        asked = self._log.now()
        first = self.profile.login[0].expect if self.profile.login else None
        if first is not None:
            await self._wait(lambda: self.inbox.shows(first) or self.gone, deadline_s)
        if self.gone or not await self.answer(fill(self.profile.resume.send, token=token, name=self.name)):
            return self._refused(asked, "to be allowed to resume", deadline_s)
        self.joined = True
        self._log.add(
            Joined(
                at_s=self._log.now(),
                conn=self.conn,
                name=self.name,
                asked_at_s=asked,
                intro=bytes(self.inbox.raw[:8192]),
            )
        )
        return True

    async def command(self, template: str, **values: str) -> None:
        """Send a command of the dialect. Raises ConnectionError when the connection is gone."""
        await self._send_message(self._framing.encode(fill(template, name=self.name, **values).encode("utf-8")))

    async def send_line(self, message: bytes) -> int:
        """Any bytes as one framed message. Raises ConnectionError when the connection is gone."""
        return await self._send_message(self._framing.encode(message))

    async def whisper(self, to: Member, words: str) -> str:
        """A directed message; its token, or an empty string where the dialect has none."""
        if self.profile.whisper is None:
            return ""
        template = self.profile.whisper.replace("{to}", to.name)
        said, data = self.compose(words, "whisper", template=template, expects=(to.conn,), to=to.conn)
        return await self.utter([said], data)

    def _remember_token(self) -> None:
        if self.profile.resume is not None:
            self.token = self.inbox.find(self.profile.resume.token)

    async def answer(self, text: str, *, further: bool = False) -> bool:
        """Send an answer to a question of the login. False when the connection is gone.

        `further`: it follows another answer at once; what came since that one may still be an answer to it.
        """
        if not further:
            self.inbox.mark = len(self.inbox.raw)
        try:
            await self._send_message(self._framing.encode(text.encode("utf-8", "surrogateescape")))
        except OSError:
            return False
        return True

    def _refused(self, asked: float, wanted: str, deadline_s: float) -> bool:
        got = self.inbox.since_mark()
        why = f"waited for {wanted!r}" if not self.gone else f"the connection ended before {wanted!r}"
        refused = self.gone or bool(got.strip())
        self._log.add(
            JoinFailed(
                at_s=self._log.now(), conn=self.conn, asked_at_s=asked, why=why, got=got[:2048], refused=refused,
                deadline_s=deadline_s,
            )
        )  # fmt: skip
        return False

    @property
    def gone(self) -> bool:
        """The connection has ended, from either side."""
        return self.ended is not None or self.left is not None

    async def _wait(self, condition: Callable[[], bool], deadline_s: float) -> bool:
        return await self._log.patience.until(condition, deadline_s)

    # -- speaking ------------------------------------------------------------------------------------------------

    async def send(self, data: bytes) -> int:
        """Raw bytes onto the wire; how many were taken. Raises ConnectionError when the connection is gone."""
        await self._pause(self.profile.pause)
        taken = await self._put(data)
        self._spend(data.count(b"\n"))
        return taken

    async def _send_message(self, data: bytes) -> int:
        await self._pause(self._gap_s)
        taken = await self._put(data)
        self._spend(data.count(b"\n") - 1)
        return taken

    def _spend(self, lines: int) -> None:
        """So many lines more were in what was sent: where the server limits how fast one may speak, each counts."""
        if lines > 0 and self._log.pace_s:
            shares = min(lines * self._log.pace_s, MOST_SPENT_S)
            self._last_send_s = max(self._last_send_s, self._log.now()) + shares

    @property
    def _gap_s(self) -> float:
        """What is left between two messages, in seconds."""
        return max(self.profile.pause, self._log.pace_s)

    async def _put(self, data: bytes) -> int:
        if self.wire is None:
            raise ConnectionError(f"{self.who} has no connection")
        if not self._spoke and not self.strays:
            self._spoke = True
            self._log.add(Answered(at_s=self._log.now(), conn=self.conn))
        self._log.trace.add(self._log.now(), self.conn, data)
        return await self.wire.send(data, deadline_s=SEND_S)

    async def _pause(self, gap_s: float) -> None:
        """A bare-chunk server reads two quick sends as one, and one that limits how fast a client may speak drops the
        second: the dialect, or the quiet run, says how far apart they must be."""
        if self.profile.pause and self.wire is not None and self.wire.sent:
            await self._log.kept_apart(self)  # on a busy machine no time is long enough to be sure
        if gap_s:
            now = self._log.now()
            self._last_send_s = due = max(now, self._last_send_s + gap_s)
            await asyncio.sleep(due - now)

    def compose(
        self,
        words: str,
        kind: Literal["chat", "fence", "whisper", "forged"] = "chat",
        *,
        template: str | None = None,
        **more: object,
    ) -> tuple[Said, bytes]:
        """A message with its token: the record that will say it was sent, and its bytes with their framing."""
        self._number += 1
        words = self._fitting(words, template or self.profile.say)
        token = token_of.make(self.conn, self._number, words)
        text = f"{words} {token}" if words else token
        spoken = fill(template, text=text, name=self.name) if template else self.profile.speak(text, self.name)
        said = Said(
            at_s=self._log.now(), op=self._log.next_op(), conn=self.conn, token=token, text=text.encode("utf-8"),
            kind=kind, **more,  # type: ignore[arg-type]
        )  # fmt: skip
        return said, self._framing.encode(spoken.encode("utf-8"))

    def _fitting(self, words: str, template: str) -> str:
        """As much of these words as the server takes in one message: none who speaks is there to try that limit."""
        longest = self.profile.max_message
        while longest is not None and words:
            spoken = fill(template, text=f"{words} {' ' * token_of.LENGTH}", name=self.name)
            surplus = len(spoken.encode("utf-8", "surrogatepass")) - longest
            if surplus <= 0:
                break
            words = words.encode("utf-8", "surrogatepass")[:-surplus].decode("utf-8", "ignore").rstrip()
        return words

    async def say(self, words: str = "", *, kind: Literal["chat", "fence"] = "chat", exact: bool = True) -> str:
        """Say something to everybody; its token. A connection that is gone is noticed and written down, not raised."""
        said, data = self.compose(words, kind, expects=self._log.audience(self), exact=exact)
        return await self.utter([said], data)

    async def utter(self, messages: list[Said], data: bytes, pieces: list[bytes] | None = None) -> str:
        """Put messages that were composed onto the wire, in one send or in the given pieces; the last one's token."""
        await self._pause(self._gap_s)  # before they count as said: a speaker that is broken off here has said nothing
        for said in messages:
            self._log.said(said)
        try:
            for number, piece in enumerate(pieces or [data]):
                await (self.send(piece) if number else self._put(piece))
                if pieces:
                    await self._log.read_by_server(self)
        except OSError:
            self._log.beat()
        return messages[-1].token if messages else ""

    async def hears(self, words: str, *, of: Member) -> bool:
        """Wait until the last message of `of` with these words has reached this member."""
        token = self._log.token_of(of, words)
        return await self._log.wait(
            "reply", lambda: token in self.inbox.tokens or self.gone, self._log.reply_deadline_s
        )

    def stall(self) -> None:
        """Stop reading: the kernel's buffer fills, then its window closes, and the server's writes find no room."""
        if self.wire:
            self._log.step("stops reading", self.who)
            self.wire.stall()

    def read_on(self) -> None:
        """Read again, all that has come meanwhile first."""
        if self.wire:
            self._log.step("reads again", self.who)
            self.wire.listen()

    # -- leaving -------------------------------------------------------------------------------------------------

    def _leave(self, how: Leaving) -> None:
        if self.left is None:
            self.left = how
            self._log.add(Volume(at_s=self._log.now(), conn=self.conn, received=self.inbox.total, sent=self._sent()))
            self._log.add(Left(at_s=self._log.now(), conn=self.conn, how=how))
            self._log.beat()

    def _sent(self) -> int:
        return self.wire.sent if self.wire else 0

    def finish(self) -> None:
        """FIN for this direction; what still comes is read. The first half of an orderly close."""
        self._leave("fin")
        if self.wire:
            self.wire.half_close()

    def close(self) -> None:
        """FIN, both ways, without a word: what was sent to us is read first."""
        self._leave("fin")
        if self.wire:
            self.wire.close()

    def abandon(self) -> None:
        """Close with whatever is unread: the kernel makes an RST of it when there is something."""
        self._leave("reset")
        if self.wire:
            self.wire.abandon()

    def reset(self) -> None:
        """RST."""
        self._leave("reset")
        if self.wire:
            self.wire.reset()

    def half_close(self) -> None:
        """FIN for this direction; go on listening."""
        self._leave("half-close")
        if self.wire:
            self.wire.half_close()

    def vanish(self) -> bool:
        """Without FIN or RST: every packet that comes is dropped. False where the system cannot do it."""
        done = self.wire is not None and self.wire.go_silent()
        if done:
            self._leave("silent")
        return done

    def die(self) -> None:
        """In a process of its own, which is killed."""
        if self.wire:
            self.wire.hand_over()
            self._leave("killed")
            self.wire.kill_holder()

    async def leave(self) -> bool:
        """As people leave: the leave word where there is one, then wait for the server's FIN; else FIN at once.

        True when the server ended the connection in answer to the word.
        """
        if self.profile.leave is None or self.gone:
            self.close()
            return False
        try:
            await self._send_message(self._framing.encode(fill(self.profile.leave, name=self.name).encode()))
        except OSError:
            self.close()
            return False
        self._leave("polite")
        kind = "leave" if self.identity.role in WELL_BEHAVED else "a leave that nobody judges"
        answered = await self._log.wait(kind, lambda: self.ended is not None, self._log.reply_deadline_s)
        if self.wire:
            self.wire.close()
        return answered
