"""The languages that the harness speaks: English and Brazilian Portuguese.

In the manner of gettext the English sentence is the key: `say("{count} scenarios", count=3)` looks the sentence up in
the catalogue of the language, keeps it where there is none, and fills in the values. What varies is never translated:
ids, quotations. What judges and scenarios have written is translated by its form, see `harness.sentences`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from harness.sentences import in_portuguese

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

    def sentence(self, written: str) -> str:
        """What a judge or a scenario has written, in this language; unsafe to print as it was before."""
        return in_portuguese(written) if self.code == "pt-BR" else written

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
    "missing: {text}": "faltou: {text}",
    "observed: {text}": "observado: {text}",
    "nothing": "nada",
    "hint: {text}": "dica: {text}",
    "remedy: {text}": "como corrigir: {text}",
    "evidence: {text}": "evidências: {text}",
    "to see it again: {command}": "para ver de novo: {command}",
    "see it yourself: {command}": "veja você mesmo: {command}",
    "{count} run": "{count} execução",
    "{count} runs": "{count} execuções",
    "FIXED": "CORRIGIDO",
    "FAILED": "FALHOU",
    "FLAKY": "INTERMITENTE",
    "UNCLEAR": "INCERTO",
    "Nothing failed there: there is nothing to play again.": "Nada falhou ali: não há o que repetir.",
    "{folder} is no scenario of the run in {run}": "{folder} não é um cenário da execução em {run}",
    "no repro.py: {reason}": "sem repro.py: {reason}",
    "… {count} more step": "… mais {count} passo",
    "… {count} more steps": "… mais {count} passos",
    "… {count} more moment, not shown: what was printed last, or told to the Toxiproxy": (
        "… mais {count} momento, não mostrado: o que foi impresso por último, ou dito ao Toxiproxy"
    ),
    "… {count} more moments, not shown: what was printed last, or told to the Toxiproxy": (
        "… mais {count} momentos, não mostrados: o que foi impresso por último, ou dito ao Toxiproxy"
    ),
    "server output: {path}": "saída do servidor: {path}",
    # The whole run.
    "Findings": "O que foi encontrado",
    "Advice": "Recomendações",
    "as in test {number}": "como no teste {number}",
    "No failures: what is worth mending all the same, told once each.": (
        "Não são falhas: o que vale corrigir mesmo assim, contado uma vez cada."
    ),
    "{title}: {count} scenario": "{title}: {count} cenário",
    "{title}: {count} scenarios": "{title}: {count} cenários",
    "{ids} and {count} more": "{ids} e mais {count}",
    # Probable causes.
    "Probable causes": "Causas prováveis",
    "Probable causes: hints with their grounds, not verdicts": "Causas prováveis: pistas com seus motivos, não veredictos",
    "this failure: probably {title}": "esta falha: provavelmente {title}",
    "these {count} failures look like one fault: probably {title}": (
        "estas {count} falhas parecem uma só: provavelmente {title}"
    ),
    "Probably": "Provavelmente",
    "Because": "Porque",
    "Hints with their grounds, not verdicts.": "Pistas com seus motivos, não veredictos.",
    "What its threads were doing": "O que faziam suas threads",
    "its threads are looked at": "suas threads são observadas",
    "See it yourself": "Veja você mesmo",
    "no repro.py:": "sem repro.py:",
    "{count} line": "{count} linha",
    "{count} lines": "{count} linhas",
    # The packets' table.
    "n": "nº",
    "s": "s",
    "leg": "trecho",
    "who": "quem",
    "from": "de",
    "to": "para",
    "sender": "remetente",
    "flags": "flags",
    "seq": "seq",
    "ack": "ack",
    "data": "dados",
    "notes": "notas",
    "direct": "direto",
    "client-proxy": "cliente-proxy",
    "proxy-server": "proxy-servidor",
    "client": "cliente",
    "server": "servidor",
    "proxy": "proxy",
    "On paper stand the scenarios that did not hold, the first {count} of them; open others before you print.": (
        "No papel estão os cenários que não se mantiveram, os primeiros {count}; abra outros antes de imprimir."
    ),
    "more": "mais",
    "Clues to the cause": "Pistas da causa",
    "{count} failure": "{count} falha",
    "these {count} failures look like one fault": "estas {count} falhas parecem uma só",
    "probably {text}": "provavelmente {text}",
    "because {ground}": "porque {ground}",
    "at {place}": "em {place}",
    "also at {places}": "também em {places}",
    "in {ids}": "em {ids}",
    "{what} ({count} failure)": "{what} ({count} falha)",
    "{what} ({count} failures)": "{what} ({count} falhas)",
    "more: {command}": "mais: {command}",
    "Summary": "Resumo",
    "Server: {target}": "Servidor: {target}",
    "the built-in server `{name}`": "o servidor embutido `{name}`",
    "{command} at {address}": "{command} em {address}",
    "address unknown": "endereço desconhecido",
    "Result: {counts}": "Resultado: {counts}",
    "{count} scenario could not be judged: it neither held nor failed ({ids})": (
        "{count} cenário não pôde ser julgado: nem se manteve nem falhou ({ids})"
    ),
    "{count} scenarios could not be judged: they neither held nor failed ({ids})": (
        "{count} cenários não puderam ser julgados: nem se mantiveram nem falharam ({ids})"
    ),
    "no scenario was judged": "nenhum cenário foi julgado",
    "Level {level}: nothing was judged": "Nível {level}: nada foi julgado",
    "Level {level}: the scenario judged here held": "Nível {level}: o cenário julgado se manteve",
    "Level {level}: all {judged} scenarios held": "Nível {level}: todos os {judged} cenários se mantiveram",
    "Level {level}: {passed} of {judged} scenarios held": "Nível {level}: {passed} de {judged} cenários se mantiveram",
    "essential": "essencial",
    "robust": "robusto",
    "hardened": "reforçado",
    "The server was given at most: {deadlines}": "O servidor teve no máximo: {deadlines}",
    "{span} to pass a message on": "{span} para repassar uma mensagem",
    "{span} to let somebody in": "{span} para deixar alguém entrar",
    "{span} to take a connection": "{span} para aceitar uma conexão",
    "{span} to start": "{span} para iniciar",
    "{span} to end": "{span} para encerrar",
    "{span} to come to rest": "{span} para voltar ao repouso",
    "{span} for {name}": "{span} para {name}",
    "a round trip takes {rtt} when all is quiet": "uma ida e volta leva {rtt} quando nada acontece",
    "the harness's own timers were up to {lag} late (99 of 100)": (
        "os relógios do próprio harness se atrasaram no máximo {lag} (99 de 100)"
    ),
    "Measured: {facts}": "Medido: {facts}",
    "Duration: {duration}": "Duração: {duration}",
    "Seed: {seed}. To repeat a scenario: {command}": "Semente: {seed}. Para repetir um cenário: {command}",
    "SCENARIO": "CENÁRIO",
    "The run was broken off: this is what was judged until then.": (
        "A execução foi interrompida: aqui está o que foi julgado até então."
    ),
    "The run was broken off: {done} of {planned} scenarios were judged until then.": (
        "A execução foi interrompida: {done} de {planned} cenários tinham sido julgados até então."
    ),
    "The server could not be judged: {reason}": "O servidor não pôde ser julgado: {reason}",
    "What was said:": "O que foi dito:",
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
    # The page.
    "Skip to the verdict": "Ir para o veredito",
    "Language": "Idioma",
    "Colours": "Cores",
    "Auto": "Automático",
    "Light": "Claro",
    "Dark": "Escuro",
    "{count} of {judged} scenarios failed": "{count} de {judged} cenários falharam",
    "The server could not be judged": "O servidor não pôde ser julgado",
    "Nothing was judged": "Nada foi julgado",
    "The one scenario held": "O único cenário se manteve",
    "All {judged} scenarios held": "Todos os {judged} cenários se mantiveram",
    "They look like one fault.": "Parecem ser um só defeito.",
    "They look like {count} different faults; each is told below, once.": (
        "Parecem ser {count} defeitos diferentes; cada um é contado abaixo, uma só vez."
    ),
    "Whatever was done to the network, the server went on serving everybody else.": (
        "Não importa o que se fez com a rede, o servidor continuou atendendo todos os outros."
    ),
    "{count} scenario held, with advice.": "{count} cenário se manteve, com recomendações.",
    "{count} scenarios held, with advice.": "{count} cenários se mantiveram, com recomendações.",
    "nothing was judged": "nada foi julgado aqui",
    "what a first server should stand: people come, talk and vanish": (
        "o que um primeiro servidor deve aguentar: pessoas chegam, conversam e somem"
    ),
    "what happens every day on a real network": "o que acontece todo dia em uma rede de verdade",
    "malice, and rare accidents": "má-fé e acidentes raros",
    "Failures with one shape, told once. Mend the first; others often go with it.": (
        "Falhas de um mesmo tipo, contadas uma vez. Corrija a primeira; outras costumam sumir junto."
    ),
    "The server": "O servidor",
    "seen in {count} scenario": "visto em {count} cenário",
    "seen in {count} scenarios": "visto em {count} cenários",
    "Probable cause": "Causa provável",
    "To mend it": "Como corrigir",
    "{count} more": "mais {count}",
    "Why it fails, and how to mend it in six languages": "Por que falha, e como corrigir em seis linguagens",
    "Scenarios": "Cenários",
    "Outcome": "Resultado",
    "Family": "Família",
    "Level": "Nível",
    "Text": "Texto",
    "Show all": "Mostrar todos",
    "shown": "visíveis",
    "Scenario by property": "Cenário por propriedade",
    "blank: not exercised": "em branco: não foi exercitada",
    "Scenario": "Cenário",
    "What happened": "O que aconteceu",
    "Open all shown": "Abrir todos os visíveis",
    "Close all": "Fechar todos",
    "intermittent": "intermitente",
    "No scenario fits these filters.": "Nenhum cenário corresponde a estes filtros.",
    "The properties": "As propriedades",
    "Every scenario is judged by the same ones.": "Todo cenário é julgado pelas mesmas.",
    "More on each:": "Mais sobre cada uma:",
    "Circumstances": "Circunstâncias",
    "Started {time}, took {duration}": "Início {time}, duração {duration}",
    "{count} processor": "{count} processador",
    "{count} processors": "{count} processadores",
    "one scenario after the other": "um cenário depois do outro",
    "up to {count} scenarios side by side": "até {count} cenários lado a lado",
    "Toxiproxy: {kind}": "Toxiproxy usado: {kind}",
    "dialect: {name}": "dialeto: {name}",
    "This browser runs no scripts: report.txt, beside this file, tells everything.": (
        "Este navegador não executa scripts: report.txt, ao lado deste arquivo, conta tudo."
    ),
    # One scenario of the page.
    "expected": "esperado",
    "observed": "observado",
    "missing": "faltou",
    "the first that differs": "o primeiro que difere",
    "another message": "outra mensagem",
    "it was cut here": "foi cortada aqui",
    "the same message again": "a mesma mensagem de novo",
    "this was said before": "isto foi dito antes",
    "for its addressee only": "só para o destinatário",
    "for those in the room only": "só para quem está na sala",
    "nobody sent this": "ninguém enviou isto",
    "this is not the author's name": "este não é o nome do autor",
    "who never joined": "quem nunca entrou",
    "the server's internals": "detalhes internos do servidor",
    "{failed} of {runs} runs failed": "{failed} de {runs} execuções falharam",
    "Hint": "Dica",
    "Who did what, when": "Quem fez o quê, e quando",
    "A connection on the wire": "Uma conexão na rede",
    "How long messages take": "Quanto demoram as mensagens",
    "How many clients are connected": "Quantos clientes estão conectados",
    "What the server's process uses": "O que o processo do servidor usa",
    "Step by step": "Passo a passo",
    "Who": "Quem",
    "What": "O quê",
    "the server prints": "o servidor imprime",
    "Packets": "Pacotes",
    "… {count} more packet": "… mais {count} pacote",
    "… {count} more packets": "… mais {count} pacotes",
    "What the server printed": "O que o servidor imprimiu",
    "See it without the harness": "Veja sem o harness",
    "See it again": "Veja de novo",
    "Copy": "Copiar",
    "{count} property held": "{count} propriedade se manteve",
    "{count} properties held": "{count} propriedades se mantiveram",
    "{count} property not judged": "{count} propriedade não julgada",
    "{count} properties not judged": "{count} propriedades não julgadas",
    "The evidence was left out to keep this file small; it lies beside it:": (
        "As evidências foram omitidas para manter este arquivo pequeno; estão ao lado dele:"
    ),
    "Beside this file": "Ao lado deste arquivo",
    # What changed, and what is known.
    "worse": "pior",
    "better": "melhor",
    "newly intermittent": "agora intermitente",
    "held": "mantida",
    "failing": "falhando",
    "… and {count} more": "… e mais {count}",
    "not judged any more: {ids}": "não julgados desta vez: {ids}",
    "not judged before: {ids}": "não julgados antes: {ids}",
    "{better} better, {worse} worse, {intermittent} newly intermittent, {unchanged} as before ({still} of them failing)": (
        "{better} melhor, {worse} pior, {intermittent} agora intermitente, {unchanged} como antes ({still} falhando)"
    ),
    "the two runs have no scenario in common that both judged": (
        "as duas execuções não têm nenhum cenário em comum que ambas tenham julgado"
    ),
    "it is no results.json of a run": "não é o results.json de uma execução",
    "Since the earlier run": "Desde a execução anterior",
    "Property": "Propriedade",
    "Before": "Antes",
    "Now": "Agora",
    "Why": "Por quê",
    "Known failures": "Falhas conhecidas",
    "They are told in {file}; only new ones fail the run.": "Estão em {file}; só as novas reprovam a execução.",
    "New": "Novas",
    "Known": "Conhecidas",
    "Fixed: take them out of the file": "Corrigidas: retire-as do arquivo",
    "Stale: there is no such scenario or property": "Obsoletas: não existe tal cenário ou propriedade",
    "Not judged this time": "Não julgadas desta vez",
    "No new failure": "Nenhuma falha nova",
    "Known failures ({file}): {known}; new: {new}": "Falhas conhecidas ({file}): {known}; novas: {new}",
    "New: {ids}": "Novas: {ids}",
    "Fixed, to be taken out of it: {ids}": "Corrigidas, a retirar do arquivo: {ids}",
    "Stale, no such scenario or property: {ids}": "Obsoletas, não existe tal cenário ou propriedade: {ids}",
    "Known, not judged this time: {ids}": "Conhecidas, não julgadas desta vez: {ids}",
    "known failure: {text}": "falha conhecida: {text}",
    # The summary and the badge.
    "The rest is left out here; index.html has it all.": "O resto foi omitido aqui; index.html tem tudo.",
    "broken off": "interrompido",
    "not judged": "sem veredito",
    "{count} of {judged} failed": "{count} de {judged} falharam",
    "{judged} held": "{judged} se mantiveram",
    "{told}, {count} not judged": "{told}, {count} sem veredito",
    # What the probe found.
    "{server}: understood": "{server}: compreendido",
    "found out earlier, and confirmed now by two quiet runs (--no-cache finds out anew)": (
        "descoberto antes, e confirmado agora por duas execuções em repouso (--no-cache descobre de novo)"
    ),
    "Good to know, and what could not be found out:": "Bom saber, e o que não foi possível descobrir:",
    "how a session is taken up again": "como se retoma uma sessão",
    "how one asks who is there (if one can)": "como se pergunta quem está presente (se é possível)",
    "how one speaks to one other alone (if one can)": "como se fala com uma só pessoa (se é possível)",
    "a word for leaving (if there is one)": "uma palavra para sair (se há uma)",
    "how long a name may be": "que comprimento um nome pode ter",
    "the search was out of time before all commands had been tried": "o tempo da busca acabou antes de todos os comandos serem tentados",
    "it parts what it reads at newlines, but waits for none: half a line goes round as a message": (
        "ele separa nas quebras de linha o que lê, mas não espera por nenhuma: meia linha circula como uma mensagem"
    ),
    "clients come in one by one: the next is served only when the one before has said its name": (
        "os clientes entram um a um: o próximo só é atendido quando o anterior disse o seu nome"
    ),
    # On what a finding of the probe rests.
    "half a message, without its newline, went round only when the newline had come, once": (
        "meia mensagem, sem a quebra de linha, só circulou quando a quebra chegou, uma vez"
    ),
    "half a message, without its newline, went round at once, once": (
        "meia mensagem, sem a quebra de linha, circulou na hora, uma vez"
    ),
    "half a line goes round at once, but lines that came together went round one by one, once": (
        "meia linha circula na hora, mas linhas que vieram juntas circularam uma a uma, uma vez"
    ),
    "the last byte of each message is taken for its end, once": (
        "o último byte de cada mensagem é tomado pelo seu fim, uma vez"
    ),
    "two clients heard each other in it, and in no way that was tried before": (
        "dois clientes se ouviram assim, e de nenhum modo tentado antes"
    ),
    "{messages} messages of {clients} clients were heard by all the others": (
        "{messages} mensagens de {clients} clientes foram ouvidas por todos os outros"
    ),
    "{clients} clients came in by it (fresh servers: {servers})": (
        "{clients} clientes entraram assim (servidores novos: {servers})"
    ),
    "{clients} clients were heard without one (fresh servers: {servers})": (
        "{clients} clientes foram ouvidos sem login (servidores novos: {servers})"
    ),
    "{clients} clients came in by it": "{clients} clientes entraram assim",
    "{clients} clients were heard without one": "{clients} clientes foram ouvidos sem login",
    "the name stood before the words of {clients} clients": "o nome estava antes das palavras de {clients} clientes",
    "no name stood before the words of {clients} clients": "nenhum nome estava antes das palavras de {clients} clientes",
    "said once: its connection ended, and the others went on": (
        "dito uma vez: a conexão terminou, e os outros continuaram"
    ),
    "asked once: the answer named the two others, and nobody else was told": (
        "perguntado uma vez: a resposta trouxe os nomes dos outros dois, e mais ninguém a viu"
    ),
    "said once: it came to its addressee alone": "dito uma vez: chegou só ao destinatário",
    "said once: its addressee was shown it as a whisper, and the others the command as it was typed": (
        "dito uma vez: o destinatário o viu como sussurro, e os outros viram o comando como foi digitado"
    ),
    "{clients} clients got their names by it": "{clients} clientes receberam assim o seu nome",
    "{count} words were tried, each once": "{count} palavras foram tentadas, cada uma uma vez",
    "only words that it shows itself were tried ({count}): it is somebody else's server": (
        "só foram tentadas palavras que ele mesmo mostra ({count}): o servidor é de outra pessoa"
    ),
    "not asked: it takes only {clients} clients": "não perguntado: ele aceita só {clients} clientes",
    "not asked: no word for it is known, or the server gives no names": (
        "não perguntado: não se conhece palavra para isso, ou o servidor não dá os nomes"
    ),
    "said once: the next words stood under the other name": "dito uma vez: as palavras seguintes vieram com o outro nome",
    "not tried: the server tells everybody who comes in": "não tentado: o servidor o diz a todos que entram",
    "tried once: whoever was cut off was let in again by its token": (
        "tentado uma vez: quem foi cortado pôde voltar com o seu token"
    ),
    "not asked: nobody has a name": "não perguntado: ninguém tem nome",
    "a message with accents did not come, and those without did, once": (
        "uma mensagem com acentos não chegou, e as sem acentos chegaram, uma vez"
    ),
    "of {came} that came the first {clients} were served, and nobody after them": (
        "de {came} que vieram, os primeiros {clients} foram atendidos, e ninguém depois deles"
    ),
    "not asked: declared in harness.toml": "não perguntado: declarado em harness.toml",
    "what {runs} quiet runs had in common, each on a fresh server": (
        "o que {runs} execuções em repouso tiveram em comum, cada uma em um servidor novo"
    ),
    "seen in one quiet run": "visto em uma execução em repouso",
    "the median of {runs} quiet runs": "a mediana de {runs} execuções em repouso",
    "tried once in each of {runs} quiet runs": "tentado uma vez em cada uma de {runs} execuções em repouso",
    "The conversation that shows it:": "A conversa que o mostra:",
    "The server's output:": "A saída do servidor:",
    "What was tried, and what came back:": "O que foi tentado, e o que voltou:",
    "If you know how it speaks, say so in harness.toml, for instance:": (
        "Se você sabe como ele fala, diga-o em harness.toml, por exemplo:"
    ),
    "harness.toml exists already: it was left as it is": "harness.toml já existe: ficou como está",
    "written: {path}": "gravado: {path}",
    "How to start this chat server, and how it speaks; found by `harness probe`.": (
        "Como iniciar este servidor de chat, e como ele fala; descoberto por `harness probe`."
    ),
    "messages": "mensagens",
    "its answers": "as respostas",
    "login": "entrada",
    "first words": "primeira fala",
    "a message": "uma mensagem",
    "names": "nomes",
    "leaving": "sair",
    "the list": "a lista",
    "a whisper": "um sussurro",
    "another name": "outro nome",
    "encoding": "codificação",
    "clients": "clientes",
    "an echo": "eco",
    "arrivals": "chegadas",
    "departures": "partidas",
    "a taken name": "nome em uso",
    "round trip": "ida e volta",
    "it shows {text}": "ele mostra {text}",
    "send {text}": "envie {text}",
    "none: who is connected is in the room": "nenhuma: quem conecta está na sala",
    "not needed to be in the room": "não é necessária para estar na sala",
    "whoever comes in hears the others only after its own first message": (
        "quem entra só ouve os outros depois da sua própria primeira mensagem"
    ),
    "the server puts the name in front": "o servidor põe o nome na frente",
    "the client itself says who speaks": "o próprio cliente diz quem fala",
    "at most {count} letters": "no máximo {count} letras",
    "no command was found": "nenhum comando foi encontrado",
    "plain ASCII: accents do not arrive, and are neither sent nor judged": (
        "ASCII puro: acentos não chegam, e não são enviados nem julgados"
    ),
    "silence": "silêncio",
    "is ended after {count} s, it says": "é encerrado depois de {count} s, diz ele",
    "a session": "uma sessão",
    "is taken up again by {command}": "é retomada por {command}",
    "at most {count} at the same time": "no máximo {count} ao mesmo tempo",
    "lines: a newline ends each": "linhas: uma quebra de linha termina cada uma",
    "chunks: one send is one message, nothing marks its end (TCP keeps no borders: two may come as one)": (
        "blocos: um envio é uma mensagem, nada marca o seu fim (o TCP não guarda limites: duas podem chegar como uma)"
    ),
    "a decimal length in a header of fixed width, then the text": (
        "um tamanho decimal em um cabeçalho de largura fixa, depois o texto"
    ),
    "a binary length, then the text": "um tamanho binário, depois o texto",
    "a length of two bytes, then the text (Java's writeUTF)": "um tamanho de dois bytes, depois o texto (writeUTF de Java)",
    "a zero byte (or another mark) ends each": "um byte zero (ou outra marca) termina cada uma",
    "blocks of a fixed size": "blocos de tamanho fixo",
    "JSON values": "valores JSON",
    "the sender hears its own words": "quem fala ouve as próprias palavras",
    "none: the sender does not hear itself": "nenhum: quem fala não ouve a si mesmo",
    "told as {text}": "anunciadas como {text}",
    "nobody is told": "ninguém é avisado",
    "is refused": "é recusado",
    "is reprompted": "é perguntado de novo",
    "is accepted": "é aceito",
    "is replaces": "toma o lugar do primeiro",
    "is unknown": "não se sabe",
    "what one message is: line, chunk, header, length, utf, nul, fixed, json": (
        "o que é uma mensagem: line, chunk, header, length, utf, nul, fixed, json"
    ),
    "what is waited for and sent until a client is in the room": "o que se espera e se envia até o cliente estar na sala",
    "how something is said to everybody": "como se diz algo a todos",
    "who puts the name in front of a message": "quem põe o nome na frente de uma mensagem",
    "s between two sends of one client, or TCP joins them": "s entre dois envios de um cliente, ou o TCP os junta",
    "without it, leaving is closing the connection": "sem ela, sair é fechar a conexão",
    "accents are not sent": "acentos não são enviados",
    "more are not served": "mais não são atendidos",
    "bytes": "bytes",
    "in the room without a login": "na sala sem entrada",
    "a client is listed only once it has said something": "um cliente só é listado depois de dizer algo",
    # What a machine allows.
    "ok": "ok",
    "no": "não",
    "yes": "sim",
    "processors": "processadores",
    "network namespace for each scenario": "namespace de rede para cada cenário",
    "packet capture": "captura de pacotes",
    "yes (packet socket)": "sim (socket de pacotes)",
    "silent packet loss without privileges": "perda silenciosa de pacotes sem privilégios",
    "yes (socket filter)": "sim (filtro de socket)",
    "Linux only": "só no Linux",
    "kernel's socket tables": "tabelas de sockets do kernel",
    "yes (sock_diag)": "sim (sock_diag)",
    "psutil is used instead": "usa-se psutil no lugar",
    "stacks of a Python server that is stuck": "pilhas de um servidor Python travado",
    "stacks of a Java server that is stuck": "pilhas de um servidor Java travado",
    "not found: pip install py-spy": "não encontrado: pip install py-spy",
    "not found: install a JDK (apt install default-jdk-headless), or set JAVA_HOME to one": (
        "não encontrado: instale um JDK (apt install default-jdk-headless), ou aponte JAVA_HOME para um"
    ),
    "Toxiproxy, embedded": "Toxiproxy, embutido",
    "Toxiproxy, installed": "Toxiproxy, instalado",
    "not found: put toxiproxy-server on the PATH, or set TOXIPROXY_SERVER": (
        "não encontrado: ponha toxiproxy-server no PATH, ou defina TOXIPROXY_SERVER"
    ),
    "open files": "arquivos abertos",
    "{soft} (hard limit {hard}); `ulimit -n {hard}` allows larger storms": (
        "{soft} (limite rígido {hard}); `ulimit -n {hard}` permite tempestades maiores"
    ),
    "Everything works without the lines that say no; fewer scenarios may apply, or fewer run side by side.": (
        "Tudo funciona sem as linhas que dizem não; talvez menos cenários se apliquem, ou menos rodem lado a lado."
    ),
    # Errors in writing and reading reports.
    "{path} could not be written: {why}; {advice}": "não foi possível gravar {path}: {why}; {advice}",
    "{path} could not be read: {why}; {advice}": "não foi possível ler {path}: {why}; {advice}",
    "no space is left": "não há mais espaço",
    "no permission": "sem permissão",
    "the file system is read-only": "o sistema de arquivos é somente leitura",
    "it is in the way of a folder": "há um arquivo no lugar da pasta",
    "there is a folder of that name": "há uma pasta com esse nome",
    "there is no such file or folder": "o arquivo ou a pasta não existe",
    "the journal is kept: `harness report {folder} --out OTHER` makes it": (
        "o diário foi mantido: `harness report {folder} --out OUTRA` o gera"
    ),
    "choose another folder with --out": "escolha outra pasta com --out",
    "make room and run `harness report {folder}`": "libere espaço e execute `harness report {folder}`",
    "give the folder of a run, with its events.jsonl": "informe a pasta de uma execução, com o seu events.jsonl",
    "it holds no beginning of a run": "não contém o início de uma execução",
    "the {name} report failed ({why}); the journal is kept, see `harness report`": (
        "o relatório {name} falhou ({why}); o diário foi mantido, veja `harness report`"
    ),
    "no report of the kind {name}; there are {names}": "não há relatório do tipo {name}; existem {names}",
}
