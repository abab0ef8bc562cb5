"""The languages that the harness speaks: English and Brazilian Portuguese.

In the manner of gettext the English sentence is the key: `say("{count} scenarios", count=3)` looks the sentence up in
the catalogue of the language, keeps it where there is none, and fills in the values. What varies is never translated:
ids, quotations, the reasons that the properties give.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Code = Literal["en", "pt-BR"]
CODES: tuple[Code, ...] = ("en", "pt-BR")

#: The variables that hold the user's language, the weightiest first (POSIX).
_LOCALE_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")


@dataclass(frozen=True, slots=True)
class Language:
    """One language; called with an English sentence it gives that sentence in this language."""

    code: Code

    @classmethod
    def of(cls, lang: str) -> Language:
        """The language called `lang`; English where the harness does not speak it."""
        return cls(_known(lang) or "en")

    def __call__(self, sentence: str, /, **values: object) -> str:
        """`sentence` in this language, with `values` filled in for its `{fields}`."""
        if self.code == "pt-BR":
            sentence = PORTUGUESE.get(sentence, sentence)
        return sentence.format(**values) if values else sentence

    def plural(self, count: int, one: str, many: str, /, **values: object) -> str:
        """`one` or `many` in this language, whichever `count` asks for; `{count}` is filled in too."""
        return self(one if count == 1 else many, count=count, **values)

    def number(self, value: float, digits: int = 1) -> str:
        """`value` with `digits` decimals, in the manner of this language (a comma in Portuguese)."""
        text = f"{value:.{digits}f}"
        return text.replace(".", ",") if self.code == "pt-BR" else text

    def seconds(self, value_s: float) -> str:
        """A span of time for people: `0.8 s`, below a tenth of a second in milliseconds."""
        if 0 < value_s < 0.1:
            return f"{self.number(value_s * 1000, 0)} ms"
        return f"{self.number(value_s)} s"


def choose(option: str | None, environ: Mapping[str, str]) -> Code:
    """The language asked for by `--lang`, else the one of the locale, else English.

    Raises ValueError with one line for people when `option` is a language that the harness does not speak.
    """
    if option:
        code = _known(option)
        if code is None:
            raise ValueError(f"no reports in the language {option!r}; --lang takes en or pt-BR")
        return code
    locale = next((environ[name] for name in _LOCALE_VARIABLES if environ.get(name)), "")
    if locale in ("", "C", "POSIX") or locale.startswith("C."):
        return "en"
    # GNU: LANGUAGE, a list by preference, goes before the locale, unless that is C.
    wanted = [*environ.get("LANGUAGE", "").split(":"), locale]
    return next((code for code in map(_known, wanted) if code), "en")


def _known(name: str) -> Code | None:
    stem = name.replace("_", "-").split(".")[0].split("@")[0].casefold()
    if stem.split("-")[0] == "pt":
        return "pt-BR"
    return "en" if stem.split("-")[0] == "en" else None


PORTUGUESE: dict[str, str] = {
    # The words of an outcome.
    "PASS": "SUCESSO",
    "FAIL": "FALHA",
    "WARN": "AVISO",
    "SKIP": "PULADO",
    "ERROR": "ERRO",
    "passed": "com sucesso",
    "failed": "com falha",
    "warned": "com aviso",
    "skipped": "sem execução",
    "not judged (error)": "sem veredito (erro)",
    # The documented tests; in Portuguese, exactly as documented.
    "Test {number}: {title}": "Teste {number}: {title}",
    "Connection refused": "Conexão recusada",
    "Connection refused correctly detected": "Conexão recusada detectada corretamente",
    "Sudden disconnection": "Desconexão súbita",
    "Socket closed abruptly": "Socket fechado abruptamente",
    "Malformed data": "Dados malformados",
    "Malformed data test completed": "Teste de dados malformados concluído",
    "Connected to the server": "Conectado ao servidor",
    "Timeout waiting for a reply (may be expected)": "Timeout na resposta (pode ser esperado)",
    # One scenario.
    "{count} property judged, it held": "{count} propriedade julgada, e ela se manteve",
    "{count} properties judged, all held": "{count} propriedades julgadas, todas se mantiveram",
    "nothing was violated": "nada foi violado",
    "{count} property violated: {ids}": "{count} propriedade violada: {ids}",
    "{count} properties violated: {ids}": "{count} propriedades violadas: {ids}",
    "intermittent: {failed} of {runs} runs failed": "intermitente: {failed} de {runs} execuções falharam",
    "advice on {ids}": "recomendações sobre {ids}",
    "advice, {id}": "recomendação, {id}",
    "not judged, {id}": "sem veredito, {id}",
    "the harness could not judge: {reason}": "o harness não conseguiu julgar: {reason}",
    "no reason was recorded": "nenhum motivo foi registrado",
    "expected: {text}": "esperado: {text}",
    "observed: {text}": "observado: {text}",
    "nothing": "nada",
    "hint: {text}": "dica: {text}",
    "remedy: {text}": "como corrigir: {text}",
    "evidence: {text}": "evidências: {text}",
    "to see it again: {command}": "para ver de novo: {command}",
    "… {count} more step": "… mais {count} passo",
    "… {count} more steps": "… mais {count} passos",
    "server output: {path}": "saída do servidor: {path}",
    # The whole run.
    "Findings": "O que foi encontrado",
    "{title}: {count} scenario": "{title}: {count} cenário",
    "{title}: {count} scenarios": "{title}: {count} cenários",
    "{ids} and {count} more": "{ids} e mais {count}",
    "probable cause: {text}": "causa provável: {text}",
    "more: {command}": "mais: {command}",
    "Summary": "Resumo",
    "Server: {target}": "Servidor: {target}",
    "the built-in server {name}": "o servidor embutido {name}",
    "{command} at {address}": "{command} em {address}",
    "address unknown": "endereço desconhecido",
    "Result: {counts}": "Resultado: {counts}",
    "no scenario was judged": "nenhum cenário foi julgado",
    "Level {level}: nothing was judged": "Nível {level}: nada foi julgado",
    "Level {level}: the scenario judged here held": "Nível {level}: o cenário julgado se manteve",
    "Level {level}: all {judged} scenarios held": "Nível {level}: todos os {judged} cenários se mantiveram",
    "Level {level}: {passed} of {judged} scenarios held": "Nível {level}: {passed} de {judged} cenários se mantiveram",
    "essential": "essencial",
    "robust": "robusto",
    "hardened": "reforçado",
    "Deadlines in force: {deadlines}": "Prazos em vigor: {deadlines}",
    "quiet round trip {rtt}": "ida e volta em repouso: {rtt}",
    "own timer lag (99th percentile) {lag}": "atraso do próprio relógio (percentil 99): {lag}",
    "Measured: {facts}": "Medido: {facts}",
    "Duration: {duration}": "Duração: {duration}",
    "Seed: {seed}. To repeat a scenario: {command}": "Semente: {seed}. Para repetir um cenário: {command}",
    "SCENARIO": "CENÁRIO",
    "The run was broken off: this is what was judged until then.": (
        "A execução foi interrompida: aqui está o que foi julgado até então."
    ),
    "The server could not be judged: {reason}": "O servidor não pôde ser julgado: {reason}",
    "What was sent and what came back:": "O que foi enviado e o que voltou:",
    # The console.
    "{count} scenario, seed {seed}": "{count} cenário, semente {seed}",
    "{count} scenarios, seed {seed}": "{count} cenários, semente {seed}",
    "quiet run: {text}": "execução em repouso: {text}",
    "note: {text}": "nota: {text}",
    "running: {ids}": "em execução: {ids}",
    "measuring the server at rest": "medindo o servidor em repouso",
    "again: {id} ({attempt})": "de novo: {id} ({attempt})",
    "Failures": "Falhas",
    "intermittent {failed}/{runs}": "intermitente {failed}/{runs}",
    "… and {count} more, told in the reports": "… e mais {count}, nos relatórios",
    "Reports: {folder} ({files})": "Relatórios: {folder} ({files})",
    "Reports: {folder}": "Relatórios: {folder}",
    # Errors in writing and reading reports.
    "{path} could not be written: {why}; {advice}": "não foi possível gravar {path}: {why}; {advice}",
    "{path} could not be read: {why}; {advice}": "não foi possível ler {path}: {why}; {advice}",
    "no space is left": "não há mais espaço",
    "no permission": "sem permissão",
    "the file system is read-only": "o sistema de arquivos é somente leitura",
    "it is in the way of a folder": "há um arquivo no lugar da pasta",
    "there is a folder of that name": "há uma pasta com esse nome",
    "there is no such file or folder": "o arquivo ou a pasta não existe",
    "choose another folder with --out": "escolha outra pasta com --out",
    "make room and run `harness report {folder}`": "libere espaço e execute `harness report {folder}`",
    "give the folder of a run, with its events.jsonl": "informe a pasta de uma execução, com o seu events.jsonl",
    "it holds no beginning of a run": "não contém o início de uma execução",
    "the {name} report failed ({why}); the journal is kept, see `harness report`": (
        "o relatório {name} falhou ({why}); o diário foi mantido, veja `harness report`"
    ),
    "no report of the kind {name}; there are {names}": "não há relatório do tipo {name}; existem {names}",
}
