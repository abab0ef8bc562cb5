"""The words of a JSON chat: which keys and kinds are usual, and what a text (a source, a greeting) says of them. Sans-I/O.

A text says most by an example: `{"op": "enter", "who": "yourname"}` in a greeting or in a comment is a whole object.
Else it names keys and values, of which the usual ones, in several languages, are the likeliest; where none of them is
usual, whatever it names.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from harness.dialect.masking import fold

_T = TypeVar("_T")


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


#: What is usual in every country: few enough for one object that holds them all.
ENGLISH = {
    "kinds": _words("type action cmd command event op kind tipo"),
    "names": _words("name username nick nickname user from sender"),
    "texts": _words("text message msg content body"),
    "rooms": _words("room channel"),
    "joins": _words("join login register connect nick set_name auth hello name username init"),
    "says": _words("message chat msg text broadcast say send public"),
}
#: What is rarer, or usual where Portuguese, Spanish, French or Italian is spoken.
OTHERS = {
    "kinds": _words("tipo t accion acao comando method evento azione"),
    "names": _words("nome nombre apelido usuario who de nom pseudo login author alias handle utente id"),
    "texts": _words("texto mensagem mensaje conteudo contenido texte contenu testo messaggio data payload"),
    "rooms": _words("sala canal"),
    "joins": _words(
        "enter entrar identify setname set_nick entra conectar registrar nome nombre apelido rejoindre entrer connexion "
        "pseudo accedi"
    ),
    "says": _words(
        "mensagem mensaje decir dizer falar enviar send_message chat_message texto hablar dire envoyer messaggio parla "
        "talk speak post"
    ),
}
KINDS, NAMES, TEXTS, ROOMS, JOINS, SAYS = (
    tuple(dict.fromkeys((*ENGLISH[group], *OTHERS[group])))
    for group in ("kinds", "names", "texts", "rooms", "joins", "says")
)
#: What only a server says.
ERRORS = _words("error erro err erreur errore fehler")
LEAVES = _words("leave quit exit disconnect logout bye sair salir tchau adeus chau adios desconectar quitter esci")
LISTS = _words("list users who online list_users names quem quien lista listar usuarios members qui")
WHISPERS = _words("private whisper pm dm private_message direct tell privado susurro cochicho sussurro prive")
TARGETS = _words("to target recipient dest para destino")
#: The room that is entered where there must be one.
ROOM = "lobby"
#: So many words that are in none of these groups are tried in each place.
FEW = 4

_STRING = r"""(?:"[^"{}\n]*"|'[^'{}\n]*'|`[^`{}\n]*`)"""
_PAIR = rf"""["']?(?P<key>[A-Za-z_]\w{{0,19}})["']?\s*:\s*(?P<value>{_STRING})"""
_OBJECT = re.compile(rf"\{{\s*{_PAIR.replace('?P<key>', '?:').replace('?P<value>', '?:')}"
                     rf"(?:\s*,\s*{_PAIR.replace('?P<key>', '?:').replace('?P<value>', '?:')})*\s*,?\s*\}}")  # fmt: skip
_PARSED = re.compile(r"\b(\w+)\s*(?::\s*\w+\s*)?=\s*(?:await\s+)?(?:json\.loads|JSON\.parse)\(")
_KEY = re.compile(
    r"""(?:\[|\.get\(|\.getString\(|\.optString\(|json:|serde\(rename ?= ?)\s*\\?["'`](\w{1,16})\\?["'`]|(?:msg|data|message|json|obj|packet|payload|parsed|req)\.(?!get|opt|send|decode)(\w{2,12})\b(?!\()"""
)
_VALUE = re.compile(r"""(?:===?|case|\.equals\(|:)\s*\\?["'`](\w{2,20})\\?["'`]""")

#: A list of what may be said (`"ops": ["hello{nick}", "talk{body}"]`), and the words in it.
_LISTED = re.compile(
    r"""(?i)["']?\b(?:ops|operations?|commands?|comandos?|actions?|a[cç][õo]es|acciones|verbs?|kinds?|types?|tipos)["']?\s*[:=]\s*\[([^\[\]\n]*)\]"""
)
#: A function that is called by the kind of an object: `def on_talk(`, or `talk(user, message) {` in a table of them.
_CALLED = re.compile(
    r"(?m)\b(?:def|func|fn|function|void)\s+(?:on|do|cmd|handle|op)_(\w{2,16})\(|^\s+(?!if|for|while|switch|catch|function|constructor|with|return)(\w{2,16})\(\w+(?:, ?\w+)*\) \{$"
)


@dataclass(frozen=True)
class JsonWords:
    """Objects to come in and to speak by, the likeliest first; pairs of both that stand in examples; all words."""

    namings: tuple[str, ...] = ()
    sayings: tuple[str, ...] = ()
    examples: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] = ()

    def before(self, other: JsonWords) -> JsonWords:
        """Both, these first. What words make is a guess, and the other's, a source's, the better one."""
        return JsonWords(
            other.namings or self.namings, other.sayings or self.sayings, _once((*self.examples, *other.examples)),
            _once((*self.words, *other.words)),
        )  # fmt: skip

    @property
    def everywhere(self) -> JsonWords:
        """With all that is usual elsewhere, as if it had been seen."""
        return replace(self, examples=(), words=_once((*self.words, *(w for group in OTHERS.values() for w in group))))

    @property
    def likeliest(self) -> tuple[str, str]:
        """An object to come in by and one to speak by."""
        pairs = [*self.examples, *zip(self.namings[:1], self.sayings[:1], strict=False)]
        return pairs[0] if pairs else ('{"type": "join", "name": "{name}"}', '{"type": "message", "text": "{text}"}')


def read(text: str) -> JsonWords:
    """What a text says of the objects of a chat."""
    keys, values = _named(text)
    kinds = [k for k in keys if k in KINDS][:2]
    names, texts = _either(keys, NAMES, {*KINDS, *TEXTS, *ROOMS}), _either(keys, TEXTS, {*KINDS, *NAMES, *ROOMS})
    texts = [k for k in texts if k not in kinds]
    joins, says = _either(values, JOINS, SAYS), _either(values, SAYS, JOINS)
    namings, sayings = [], []
    for name in names[:3]:
        for kind in kinds:
            namings += [json.dumps({kind: join, name: "{name}"}) for join in joins]
        namings.append(json.dumps({name: "{name}"}))
    for body in texts[:2]:
        for kind in kinds:
            sayings += [json.dumps({kind: say, body: "{text}"}) for say in says]
            sayings += [json.dumps({kind: say, name: "{name}", body: "{text}"}) for say in says for name in names[:1]]
        sayings.append(json.dumps({**dict.fromkeys(names[:1], "{name}"), body: "{text}"}))
    return JsonWords(_once(namings), _once(sayings), examples(text), _once([*keys, *values]))


def spoken(text: str) -> JsonWords:
    """The same of what a server says: its refusals name the words that it waits for (`first enter`, `primero entrar`)."""
    told = [word for word in re.findall(r"\w+", fold(text)) if word in JOINS or word in SAYS]
    found = read(text)
    return replace(found, words=_once((*found.words, *told)))


def _named(text: str) -> tuple[list[str], list[str]]:
    """The keys and the values that a text names. What is a value is a key only where it is a usual one."""
    parsed = "|".join(map(re.escape, dict.fromkeys(_PARSED.findall(text))))
    keys = [a or b for a, b in _KEY.findall(text)]
    keys += re.findall(rf"\b(?:{parsed})\.(?!get\b|opt\b)(\w{{1,16}})\b(?!\()", text) if parsed else []
    keys += re.findall(r"""\\?["'`](\w{1,16})\\?["'`]\s*:""", text)
    values = _VALUE.findall(text)
    values += [word for listed in _LISTED.findall(text) for word in re.findall(r"""["'`](\w{2,20})""", listed)]
    values = list(_once([*values, *(a or b for a, b in _CALLED.findall(text))]))
    usual = {*KINDS, *NAMES, *TEXTS}
    return [k for k in _once(keys) if k not in values or fold(k) in usual], values


def _either(words: Sequence[str], usual: Sequence[str], other: Iterable[str]) -> list[str]:
    """Those words that are usual here; where none is, those that are usual nowhere else."""
    known = [w for w in words if fold(w) in usual]
    return known[:FEW] or [w for w in words if fold(w) not in other][:FEW]


def examples(text: str) -> tuple[tuple[str, str], ...]:
    """Pairs of whole objects that a text shows, one to come in by and one to speak by, as templates."""
    shown = [_pairs(match[0]) for match in _OBJECT.finditer(text.replace("\\", ""))]
    shown = [pairs for pairs in shown if len(pairs) <= 4]
    if not shown:
        return ()
    common = Counter(key for key, _ in {item for pairs in shown for item in pairs.items()})
    kind = next((k for k in KINDS if k in common), None) or next((k for k, n in common.most_common(1) if n > 1), "")
    shown = [pairs for pairs in shown if fold(pairs.get(kind, "")) not in ERRORS]
    namings = [template for pairs in shown if (template := _filled(pairs, kind, NAMES, TEXTS, "{name}"))]
    sayings = [template for pairs in shown if (template := _filled(pairs, kind, TEXTS, NAMES, "{text}"))]
    namings.sort(key=lambda template: _unlike(template, kind, JOINS))
    sayings.sort(key=lambda template: _unlike(template, kind, SAYS))
    return _once(
        (n, s) for s in _once(sayings)[:2] for n in _once(namings)[:2] if not kind or _kind(n, kind) != _kind(s, kind)
    )


def _pairs(shown: str) -> dict[str, str]:
    return {match["key"]: match["value"][1:-1] for match in re.finditer(_PAIR, shown)}


def _filled(pairs: dict[str, str], kind: str, wanted: Sequence[str], other: Sequence[str], place: str) -> str | None:
    """An example with a place in it: at its usual key, else at the only one that is left beside the kind."""
    left = [key for key in pairs if key != kind]
    usual = [key for key in left if key in wanted]
    if not usual and (len(left) != 1 or left[0] in other):
        return None
    key = usual[0] if usual else left[0]
    mine = "{name}" if place == "{text}" else None
    told = {k: mine for k in left if k != key and k in NAMES and mine}
    return json.dumps({**pairs, **told, key: place}, ensure_ascii=False)


def _unlike(template: str, kind: str, usual: Sequence[str]) -> tuple[bool, int]:
    """Sorts examples of a usual kind first, and small ones before others: whoever speaks says less than who passes it on."""
    return fold(_kind(template, kind)) not in usual, len(json.loads(template))


def _kind(template: str, kind: str) -> str:
    return str(json.loads(template).get(kind, ""))


def _once(found: Iterable[_T]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys(found))
