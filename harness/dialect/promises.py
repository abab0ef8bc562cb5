"""Promises: what a server tells everybody who comes in that it will do: end a silent connection, give a session back.

Sans-I/O, in the languages of `hypotheses`, German and Italian besides; case and accents are folded. Only words that
leave nothing open are taken for a promise: a server is held to it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.dialect.masking import fold
from harness.dialect.profile import Resume

_SECONDS = r"\b(\d{1,4})\s?(s|sec(?:ond)?s?|secs|segundos?|seg|secondes?|sekunden?|secondi|min(?:ute)?s?|minutos?|minuten|minuti)\b"
_SILENCE = (
    r"\bidle|\bidling|inactiv|inativ|inattiv|inaktiv|untatig|\bafk\b|\bsilen[ct]|\bschweig|\bstille|\bmuet|ocios|callad|"
    r"(?:says?|saying|writes?|sends?|types?) nothing|sem (?:falar|dizer|escrever|mandar|enviar)|fica\w* (?:quieto|parado)|"
    r"sin (?:hablar|decir|escribir|enviar)|sans (?:parler|rien|ecrire)|ohne (?:ein wort|eine? nachricht|eingabe)|"
    r"(?:no|without)(?: any| a)? (?:activity|messages?|words?|input)"
)
_ENDED = (
    r"disconnect|desconect|desconex|deconnect|deconnex|\bkick|\bdropp?|\bclos|expuls|\bremov|\bcaem?\b|timeout|time-out|timed? out|"
    r"tempo limite|logged out|thrown out|encerra|c[ie]+rra|ferme|getrennt|trenn|geschlossen|\bflieg|chiu[ds]|disconness"
)
#: Who answers is not silent: another matter.
_ASKED = r"\bping\b|\bpong\b|heart ?beat"
_RETURN = (
    r"resum|retom|reanud|reconnect|reconect|rejoin|restor|restaur|volver|voltar|retorn|fortsetz|zurueck|zuruck|reprendre|"
    r"reprise|revenir|riprend"
)
_MISSED = (
    r"\bmiss(?:ed|es|ing)?\b|perdeu|perdid|perdist|pendent|pendient|verpass|manque|persi\b|persa|perso|"
    r"while you (?:were|are)|enquanto|mientras|waehrend|wahrend|pendant"
)
_TOKEN = r"(?<![\w-])(?=[\w-]*\d)[A-Za-z0-9](?:[\w-]{3,62})[A-Za-z0-9](?![\w-])"
_COMMAND = rf"[/!\\.#:]?\w*(?:{_RETURN})\w*"
#: Where a command's argument is only named: `resume TOKEN`, `/retomar <senha>`.
_PLACE = r"(?:<[^<>\n]{1,20}>|\[[^\[\]\n]{1,20}\]|\{[^{}\n]{1,20}\}|[A-Z]{3,12}\b)"


def idle_s(text: str) -> float | None:
    """After how many seconds of silence it says that it ends a connection; None where it says nothing plain of it."""
    for sentence in re.split(r"[\r\n]|(?<=[.!?;])\s", fold(text)):
        told = re.findall(_SECONDS, sentence)
        if len(told) == 1 and re.search(_SILENCE, sentence) and re.search(_ENDED, sentence):
            number, unit = told[0]
            if not re.search(_ASKED, sentence) and int(number) > 0:
                return float(number) * (60 if unit.startswith("min") else 1)
    return None


def resumption(shown: Sequence[tuple[str, str]]) -> Resume | None:
    """How a session is taken up again, from what the first two to come in were shown (name, words); None where nothing
    plain is said of it: a token of one's own, the command that takes it, and that what was missed is kept."""
    if len(shown) < 2 or not all(re.search(_MISSED, fold(text)) for _, text in shown[:2]):
        return None
    one, other = (text.replace(name, "\0") for name, text in shown[:2])
    for token in re.finditer(_TOKEN, one):
        if token[0] in other:
            continue
        context = _same_before(one[: token.start()], other)
        send = _command_for(one, token[0])
        if context and send:
            return Resume(token=re.escape(context) + r"([\w-]*\w)", send=send)
    return None


def _same_before(before: str, other: str) -> str:
    """The words in front of the token, as far back in its line as the other one was shown the same."""
    line = re.split(r"[\n\0]", before)[-1]
    for start in range(max(0, len(line) - 40), len(line)):
        words = line[start:]
        if words in other and re.search(r"\w", words):
            return words
    return ""


def _command_for(text: str, token: str) -> str | None:
    """The command as it stands before this token, or before a place for one. Its own case is free."""
    command = rf"(?<!\w)(?P<word>(?i:{_COMMAND}))(?P<sep>[ :|=])"
    said = re.search(command + re.escape(token), text) or re.search(command + _PLACE, text)
    return f"{said['word']}{said['sep']}{{token}}" if said is not None else None
