"""What judges and scenarios write, in Portuguese.

Histories, judgements and results.json are English, whatever the language of a report. A report in Portuguese has their
sentences translated here, by their form: `{}` stands for something that stays as it is (a name, a number, a stranger's
bytes), `{*}` for a clause that is itself a sentence of this table. A sentence that is not in the table stays English.
"""

from __future__ import annotations

import functools
import re

#: What stands behind any sentence about a failure that comes and goes: it is taken off before the others are tried.
OFTEN = "{*} (in {} of {} runs)"
#: A report says the same sentence many times; so many of them are translated once.
REMEMBERED = 4096
#: English form → Portuguese form, whose `{0}`, `{1}` … are the English one's gaps in their order.
FORMS: dict[str, str] = {
    # Steps: the parts of a play.
    "the scenario begins": "o cenário começa",
    "the fault is over": "a falha acabou",
    "those who stayed talk": "quem ficou conversa",
    "newcomers come": "chegam clientes novos",
    "everybody leaves; newcomers in an empty room": "todos saem; clientes novos em sala vazia",
    "at rest": "em repouso",
    "the end": "o fim",
    "… {} more steps, not told one by one": "… mais {0} passos, não contados um a um",
    "{} clients come and go, to see whether anything grows with each": (
        "{0} clientes vêm e vão, para ver se algo cresce com cada um"
    ),
    # What members do, and what becomes of them.
    "connects": "conecta",
    "connects through the Toxiproxy": "conecta através do Toxiproxy",
    "comes back": "volta",
    "comes back through the Toxiproxy": "volta através do Toxiproxy",
    "cannot connect: {}": "não consegue conectar: {0}",
    "is refused": "é recusado",
    "is not let in": "não é atendido",
    "says hello, and not everybody hears it": "diz olá, e nem todos ouvem",
    "says a word": "diz uma palavra",
    'says "{}"': 'diz "{0}"',
    'says "{}"; all hear it': 'diz "{0}"; todos ouvem',
    'says "{}"; not heard by {}': 'diz "{0}"; não ouvem: {1}',
    "says a word; all hear it": "diz uma palavra; todos ouvem",
    "says a word; not heard by {}": "diz uma palavra; não ouvem: {0}",
    "{} messages": "{0} mensagens",
    "{} messages; all are heard": "{0} mensagens; todas são ouvidas",
    "{} messages; not heard by {}": "{0} mensagens; não ouvem: {1}",
    "stops reading": "para de ler",
    "reads again": "volta a ler",
    "sends {} bytes in {} pieces, beginning with {}": "envia {0} bytes em {1} pedaços, começando com {2}",
    "says good-bye": "despede-se",
    "closes without a word: FIN": "fecha sem se despedir: FIN",
    "closes one half: FIN, and listens on": "fecha um dos lados: FIN, e continua ouvindo",
    "resets the connection: RST": "derruba a conexão: RST",
    "its process is killed: the kernel closes the connection": "seu processo é morto: o kernel fecha a conexão",
    "vanishes: no FIN, no RST": "some: sem FIN, sem RST",
    "{} clients say good-bye": "{0} clientes se despedem",
    "{} clients close: FIN": "{0} clientes fecham: FIN",
    "{} clients close one half: FIN": "{0} clientes fecham um dos lados: FIN",
    "{} clients reset their connections: RST": "{0} clientes derrubam suas conexões: RST",
    "the processes of {} clients are killed": "os processos de {0} clientes são mortos",
    "{} clients vanish: no FIN, no RST": "{0} clientes somem: sem FIN, sem RST",
    "its connection is ended by the other side: FIN": "sua conexão é encerrada pelo outro lado: FIN",
    "its connection is ended by the other side: RST": "sua conexão é encerrada pelo outro lado: RST",
    "its connection breaks": "sua conexão quebra",
    "a connection is tried: refused": "tenta-se uma conexão: recusada",
    "a connection is tried: accepted": "tenta-se uma conexão: aceita",
    "a connection is tried: reset": "tenta-se uma conexão: reset",
    "a connection is tried: timeout": "tenta-se uma conexão: tempo esgotado",
    "ends by itself (exit status {})": "termina sozinho (status de saída {0})",
    "does not end": "não encerra",
    "{} clients connect": "{0} clientes conectam",
    "{} clients come back": "{0} clientes voltam",
    "{} clients are not let in": "{0} clientes não são atendidos",
    "{} clients cannot connect: {}": "{0} clientes não conseguem conectar: {1}",
    "is started again on the same port": "é iniciado de novo na mesma porta",
    "is told to end ({})": "recebe ordem de encerrar ({0})",
    "is killed (SIGKILL)": "é morto (SIGKILL)",
    "is frozen (SIGSTOP)": "é congelado (SIGSTOP)",
    "runs on (SIGCONT)": "continua (SIGCONT)",
    "may open {} descriptors more (RLIMIT_NOFILE {})": "pode abrir mais {0} descritores (RLIMIT_NOFILE {1})",
    "may open descriptors again": "pode abrir descritores de novo",
    "the fault took too long the second time": "a falha demorou demais na segunda vez",
    "a line without an end: {} KiB; {*}": "uma linha sem fim: {0} KiB; {1}",
    "messages at one who does not read: {} KiB; {*}": "mensagens para quem não lê: {0} KiB; {1}",
    "the server ended it": "o servidor encerrou",
    "the server stopped taking": "o servidor parou de aceitar",
    "all was taken": "tudo foi aceito",
    "toxics off ({})": "toxics retirados ({0})",
    "line cut ({})": "linha cortada ({0})",
    "line open ({})": "linha aberta ({0})",
    "line taken down ({})": "linha desmontada ({0})",
    "toxic {} on ({})": "toxic {0} ligado ({1})",
    "toxic {} changed ({})": "toxic {0} alterado ({1})",
    "this server takes {} clients; more are needed here": "este servidor aceita {0} clientes; aqui são precisos mais",
    "--max-clients allows {} clients; more are needed here": "--max-clients permite {0} clientes; aqui são precisos mais",
    # Why no dialect was found.
    "this server speaks {}": "este servidor fala {0}",
    "{*}; declare [dialect] in harness.toml (framing, login), see docs/dialects.md": (
        "{0}; declare [dialect] em harness.toml (framing, login), veja docs/dialects.md"
    ),
    "{*}. Its source uses {}": "{0}. O código-fonte usa {1}",
    "the server asks for a password ({}): declare the login in [dialect] of harness.toml": (
        "o servidor pede uma senha ({0}): declare o login em [dialect] de harness.toml"
    ),
    "a password seems to be asked for: declare the login in [dialect] of harness.toml": (
        "parece que é pedida uma senha: declare o login em [dialect] de harness.toml"
    ),
    "could not find out how this server speaks: {*}": "não foi possível descobrir como este servidor fala: {0}",
    "two clients never heard each other's words": "dois clientes nunca ouviram as palavras um do outro",
    "the server ended (exit status {}) while it was talked to": (
        "o servidor terminou (status de saída {0}) enquanto se falava com ele"
    ),
    "the server accepts no connection any more: it ended while it was talked to": (
        "o servidor não aceita mais conexões: ele terminou enquanto se falava com ele"
    ),
    "it ends the connection of everybody who says something": "ele encerra a conexão de quem diz alguma coisa",
    "only one of two clients is heard by the other": "só um de dois clientes é ouvido pelo outro",
    "it takes what it is sent, says nothing, and two clients never heard each other's words. Either the harness does not "
    "speak its language, or it never delivers": (
        "ele recebe o que lhe enviam, não diz nada, e dois clientes nunca ouviram as palavras um do outro. Ou o harness não "
        "fala a língua dele, ou ele nunca entrega"
    ),
    "it serves one client and accepts no second while that one is there: a conversation of two with its console, perhaps; a "
    "group chat is needed": (
        "ele atende um cliente e não aceita um segundo enquanto aquele está lá: talvez uma conversa a dois com o console "
        "dele; é preciso um chat em grupo"
    ),
    # Why it did not start.
    "the server ended at once with exit status {}, before it listened on any TCP port": (
        "o servidor terminou logo, com status de saída {0}, antes de escutar em alguma porta TCP"
    ),
    "the server ended at once with exit status {}, before it listened on any TCP port: {*}": (
        "o servidor terminou logo, com status de saída {0}, antes de escutar em alguma porta TCP: {1}"
    ),
    "the server did not listen on any TCP port within {} s; {*}: {*}": (
        "o servidor não escutou em nenhuma porta TCP em {0} s; {1}: {2}"
    ),
    "the server did not listen on any TCP port within {} s; {*}. If it needs longer, give --patience 2": (
        "o servidor não escutou em nenhuma porta TCP em {0} s; {1}. Se ele precisa de mais tempo, use --patience 2"
    ),
    "it is running (busy)": "ele está executando (ocupado)",
    "it is waiting for something": "ele está esperando por alguma coisa",
    "it waits for the disk": "ele espera pelo disco",
    "it is stopped": "ele está parado",
    "it is gone": "ele não existe mais",
    "its state is {}": "o estado dele é {0}",
    "the server could not have its port: it is already in use. End the program that uses it, or let the harness choose one "
    "with {port}": (
        "o servidor não conseguiu a porta: ela já está em uso. Encerre o programa que a usa, ou deixe o harness escolher uma "
        "com {port}"
    ),
    "it wants a terminal; `pty = true` in [server] of harness.toml gives it one": (
        "ele quer um terminal; `pty = true` em [server] de harness.toml lhe dá um"
    ),
    "the server does not listen yet: it waits for something on its standard input. `stdin` of [server] in harness.toml says "
    'what it is told, for instance stdin = "{port}\\n"': (
        "o servidor ainda não escuta: ele espera alguma coisa na entrada padrão. `stdin` de [server] em harness.toml diz o "
        'que lhe é dito, por exemplo stdin = "{port}\\n"'
    ),
    "the server asks for more and more on its standard input before it listens": (
        "o servidor pergunta cada vez mais na entrada padrão antes de escutar"
    ),
    "the server did not listen on port {} within {} s, but on {}": "o servidor não escutou na porta {0} em {1} s, mas em {2}",
    "the server listens on port {}, but did not print what `ready` of [server] waits for within {} s; what it prints may lie "
    "in a buffer": (
        "o servidor escuta na porta {0}, mas não imprimiu em {1} s o que `ready` de [server] espera; o que ele imprime pode "
        "estar parado em um buffer"
    ),
    "the server uses UDP and listens on no TCP port: this harness judges chat over TCP": (
        "o servidor usa UDP e não escuta em nenhuma porta TCP: este harness julga chat sobre TCP"
    ),
    "{} may not be run: make it executable (chmod +x)": "{0} não pode ser executado: torne-o executável (chmod +x)",
    "there is no folder {}": "não há a pasta {0}",
    "there is no command {}: check --server, or give its full path": (
        "não há o comando {0}: confira --server, ou dê o caminho completo"
    ),
    "{} could not be run: {}": "{0} não pôde ser executado: {1}",
    "the build `{}` did not end within {} s": "a compilação `{0}` não terminou em {1} s",
    "the build `{}` failed with exit status {}": "a compilação `{0}` falhou com status de saída {1}",
    "--connect {}: there is no machine {} ({})": "--connect {0}: não há a máquina {1} ({2})",
    "the server does not answer any more, since {}": "o servidor não responde mais, desde {0}",
    "nothing answers at {} ({}); is the server running?": "nada responde em {0} ({1}); o servidor está rodando?",
    "{} starts the server in a container, where the harness cannot see its process. Give the command that runs inside the "
    "container (see its Dockerfile), or start it yourself and use --connect HOST:PORT": (
        "{0} inicia o servidor em um contêiner, onde o harness não vê o processo. Dê o comando que roda dentro do contêiner "
        "(veja o Dockerfile), ou inicie-o você mesmo e use --connect HOST:PORT"
    ),
    "it is a compiler: put it into `build` of [server] in harness.toml, and the program that it makes into `command`": (
        "isto é um compilador: coloque-o em `build` de [server] em harness.toml, e o programa que ele gera em `command`"
    ),
    "it printed nothing: is there a line that calls its main function?": (
        "não imprimiu nada: existe uma linha que chama a função principal?"
    ),
    "look for the fault by starting it by hand, without the harness": (
        "procure a falha iniciando-o à mão, sem o harness"
    ),
    "it is written in Python 2: start it with python2, or convert it to Python 3 (`2to3 -w` does most of it)": (
        "está escrito em Python 2: inicie-o com python2, ou converta-o para Python 3 (`2to3 -w` faz quase tudo)"
    ),
    "it is written in Python 3 and was started with Python 2: start it with python3": (
        "está escrito em Python 3 e foi iniciado com Python 2: inicie-o com python3"
    ),
    "it wants to listen on an address that this machine does not have: let it listen on 0.0.0.0 (every address), or take "
    "the address from its command, where {host} is filled in": (
        "ele quer escutar em um endereço que esta máquina não tem: faça-o escutar em 0.0.0.0 (todos os endereços), ou "
        "receber o endereço do comando, onde {host} é preenchido"
    ),
    "it wants to listen on an address that this machine does not have ({}): let it listen on 0.0.0.0 (every address), or "
    "take the address from its command, where {host} is filled in": (
        "ele quer escutar em um endereço que esta máquina não tem ({0}): faça-o escutar em 0.0.0.0 (todos os endereços), ou "
        "receber o endereço do comando, onde {{host}} é preenchido"
    ),
    "it was refused: ports below 1024 are for the system, and files need the right to be read": (
        "foi recusado: portas abaixo de 1024 são do sistema, e arquivos precisam de permissão de leitura"
    ),
    "there is no file {} here: give the path from this folder, or `cwd` of [server] in harness.toml": (
        "não há o arquivo {0} aqui: dê o caminho a partir desta pasta, ou `cwd` de [server] em harness.toml"
    ),
    "Java did not find the class {}; there is a {} in `{}`: say `java -cp CLASSPATH package.{}`": (
        "o Java não achou a classe {0}; há um {1} em `{2}`: use `java -cp CLASSPATH pacote.{3}`"
    ),
    "Java did not find the class {}: compile it first, `build = {}` in [server] of harness.toml": (
        "o Java não achou a classe {0}: compile-a antes, `build = {1}` em [server] de harness.toml"
    ),
    "Java did not find the class {}: compile it, and say where it is (`java -cp FOLDER package.Class`)": (
        "o Java não achou a classe {0}: compile-a, e diga onde ela está (`java -cp PASTA pacote.Classe`)"
    ),
    "the Node package {} is not installed: run `npm install` in its folder first": (
        "o pacote {0} do Node não está instalado: rode `npm install` na pasta dele antes"
    ),
    "the Python module {} is not installed here: `pip install` it for the Python that runs the server": (
        "o módulo Python {0} não está instalado aqui: use `pip install` no Python que roda o servidor"
    ),
    "it does not compile: mend the error that it printed": "não compila: corrija o erro que foi impresso",
    "it does not compile: an error in {}, line {}": "não compila: um erro em {0}, linha {1}",
    "it wants arguments: give them in the command, and {port} where the port stands": (
        "ele quer argumentos: dê-os no comando, com {port} no lugar da porta"
    ),
    "it wants other arguments than it was given": "ele quer outros argumentos, não os que recebeu",
    "there is nothing of that name to run here: is this the folder of the server? `cwd` of [server] says where it is": (
        "não há nada com esse nome para executar aqui: esta é a pasta do servidor? `cwd` de [server] diz onde ela fica"
    ),
    "it was compiled for a newer Java than this one: compile it here, with `build` of [server] in harness.toml": (
        "foi compilado para um Java mais novo que este: compile-o aqui, com `build` de [server] em harness.toml"
    ),
    "it looks up the name of a machine that is not known here: let it listen on 0.0.0.0 (every address)": (
        "ele procura o nome de uma máquina que não é conhecida aqui: faça-o escutar em 0.0.0.0 (todos os endereços)"
    ),
    "it connects to another program (a database?) that is not there. In a network of its own it reaches nothing outside: "
    "`--no-namespaces` lets it, when that program runs here": (
        "ele se conecta a outro programa (um banco de dados?) que não está lá. Em uma rede só dele nada de fora é alcançado: "
        "com `--no-namespaces` é, se aquele programa roda aqui"
    ),
    "it asks for something: `stdin` of [server] in harness.toml says what it is told ({port} is filled in)": (
        "ele pergunta alguma coisa: `stdin` de [server] em harness.toml diz o que lhe é dito ({port} é preenchido)"
    ),
    "there is no command {} here: install it, or give its full path": (
        "não há o comando {0} aqui: instale-o, ou dê o caminho completo"
    ),
    # How it was started.
    "the server wants a terminal: it was given one": "o servidor quer um terminal: recebeu um",
    "the server asks on its standard input ({}): it was told {}": (
        "o servidor pergunta na entrada padrão ({0}): recebeu {1}"
    ),
    "the server listens on {} only, an address from its source: elsewhere it will not start; 0.0.0.0 is every address": (
        "o servidor escuta só em {0}, um endereço do código-fonte: em outra máquina não vai iniciar; 0.0.0.0 são todos os "
        "endereços"
    ),
    "the server listens on several ports ({}): {} was tried first as the chat's": (
        "o servidor escuta em várias portas ({0}): {1} foi tentada primeiro como a do chat"
    ),
    # How often it was seen.
    OFTEN: "{0} (em {1} de {2} execuções)",
    # What does not apply here, and what could not be judged.
    "not reached: {}": "não alcançado: {0}",
    "this run did not come as far as exercising it": "esta execução não chegou a exercitá-la",
    "failed without a witness: {*}": "falhou sem testemunha: {0}",
    "the harness could not judge this: {}": "o harness não conseguiu julgar isto: {0}",
    "more happened than a history holds: {} records since {} s were not kept, and nothing is judged without them (a smaller "
    "--storm makes fewer)": (
        "aconteceu mais do que cabe em um histórico: {0} registros desde {1} s não foram guardados, e sem eles nada é julgado "
        "(um --storm menor faz menos)"
    ),
    "the scenario did not end within {} s": "o cenário não terminou em {0} s",
    "the server could not be started: {*}": "não foi possível iniciar o servidor: {0}",
    "this machine was too busy to blame the server: the harness's own timers were {} s late": (
        "esta máquina estava ocupada demais para culpar o servidor: os relógios do próprio harness atrasaram {0} s"
    ),
    "the Toxiproxy kept {} bytes to itself with no toxic on the line": (
        "o Toxiproxy ficou com {0} bytes sem nenhum toxic na linha"
    ),
    "there is no Toxiproxy in this scenario": "não há Toxiproxy neste cenário",
    "this Toxiproxy cannot pass on a reset": "este Toxiproxy não sabe repassar um reset",
    "this Toxiproxy does not have the embedded one's own toxics": "este Toxiproxy não tem os toxics próprios do embutido",
    "this Toxiproxy cannot pass on a half-close": "este Toxiproxy não sabe repassar um half-close",
    "the server is run by somebody else; this needs its process": (
        "o servidor é mantido por outra pessoa; isto precisa do processo dele"
    ),
    "the server is run by somebody else: its process cannot be seen": (
        "o servidor é mantido por outra pessoa: o processo dele não pode ser visto"
    ),
    "the server is run by somebody else: its output cannot be seen": (
        "o servidor é mantido por outra pessoa: a saída dele não pode ser vista"
    ),
    "this server has no login": "este servidor não tem login",
    "this server knows no names": "este servidor não conhece nomes",
    "this server puts no name of its own in front of messages": (
        "este servidor não põe nome nenhum diante das mensagens"
    ),
    "this server has no list of who is there": "este servidor não tem lista de quem está presente",
    "this server has no directed messages": "este servidor não tem mensagens privadas",
    "this server has no directed messages that the quiet run could see": (
        "este servidor não tem mensagens privadas que a execução em repouso pudesse ver"
    ),
    "this server has no word for leaving": "este servidor não tem palavra para sair",
    "this server has no word for leaving that ended the connection in the quiet run": (
        "este servidor não tem palavra de saída que encerrasse a conexão na execução em repouso"
    ),
    "this server has no command for another name": "este servidor não tem comando para trocar de nome",
    "this server has no commands": "este servidor não tem comandos",
    "this server declares no limit of clients": "este servidor não declara limite de clientes",
    "this server is declared to take ASCII only": "este servidor declara aceitar apenas ASCII",
    "this server showed newcomers nothing in the quiet runs": (
        "este servidor nada mostrou a quem chegava nas execuções em repouso"
    ),
    "this server's messages have no borders that could be kept": (
        "as mensagens deste servidor não têm limites que pudessem ser mantidos"
    ),
    "this server's messages do not end with a newline": "as mensagens deste servidor não terminam com quebra de linha",
    "no length stands before this server's messages": "nenhum tamanho vem antes das mensagens deste servidor",
    "this server's messages are no blocks of a fixed size": "as mensagens deste servidor não são blocos de tamanho fixo",
    "this server's messages are not JSON": "as mensagens deste servidor não são JSON",
    "this server's messages are JSON, but no objects": "as mensagens deste servidor são JSON, mas não objetos",
    "nothing in JSON is said here before one is in the room": "aqui nada em JSON é dito antes de se estar na sala",
    "a length of {} bytes cannot claim so much": "um tamanho de {0} bytes não consegue anunciar tanto",
    "here a length is a binary number: every byte is a digit of it": (
        "aqui o tamanho é um número binário: todo byte é um algarismo dele"
    ),
    "a server that believed {} MiB would take too much of this machine's memory": (
        "um servidor que acreditasse em {0} MiB tomaria memória demais desta máquina"
    ),
    "sends {} bytes that begin with {}": "envia {0} bytes que começam com {1}",
    "claims a message of {} MiB": "anuncia uma mensagem de {0} MiB",
    "here the first thing that a client says is its name, whatever it is": (
        "aqui a primeira coisa que um cliente diz é o seu nome, seja qual for"
    ),
    "there is no login: whoever connects is in the room": "não há login: quem conecta já está na sala",
    "session resumption is not declared": "a retomada de sessão não está declarada",
    "no idle time is declared": "nenhum tempo de inatividade está declarado",
    "the declared idle time of {} s is too long to wait for": (
        "o tempo de inatividade declarado, {0} s, é longo demais para esperar"
    ),
    "the idle time is promised to those who have logged in": ("o tempo de inatividade é prometido a quem já fez login"),
    "names are not unique here, or it is not known": "aqui os nomes não são únicos, ou não se sabe",
    "here the name is the last thing that a login asks for": "aqui o nome é a última coisa que o login pergunta",
    "no heartbeat is declared, or its time is too long to wait for": (
        "nenhum batimento está declarado, ou o seu tempo é longo demais para esperar"
    ),
    "this system cannot drop a socket's packets without privileges": (
        "este sistema não permite descartar pacotes de um socket sem privilégios"
    ),
    "only {} MiB went through in time: less than the kernel's own buffers hold": (
        "só {0} MiB passaram a tempo: menos do que cabe nos buffers do próprio kernel"
    ),
    "the server could not be understood": "não foi possível entender o servidor",
    "no scenario was chosen": "nenhum cenário foi escolhido",
    "nothing could be judged: every scenario was skipped or could not be run": (
        "nada pôde ser julgado: todos os cenários foram pulados ou não puderam ser executados"
    ),
    "no packets are captured: {*}": "nenhum pacote é capturado: {0}",
    "no network namespace here: `harness doctor` says why; everything else works": (
        "sem namespace de rede aqui: `harness doctor` diz por quê; todo o resto funciona"
    ),
    "stopped after {} failures, as asked": "parado após {0} falhas, como pedido",
    # accepts, refuses, survives.
    "{} were let in": "{0} puderam entrar",
    "{} could not connect: {}": "{0} não conseguiu conectar: {1}",
    "{} connected at {} s and was not served within {} s (the kernel completed the handshake, the server did not take the client in)": (
        "{0} conectou em {1} s e não foi atendido em {2} s (o kernel completou o handshake, o servidor não recebeu o cliente)"
    ),
    "{} of {} clients that came at once were never served, though they tried again": (
        "{0} de {1} clientes que vieram ao mesmo tempo nunca foram atendidos, embora tentassem de novo"
    ),
    "{*}: the listen backlog overflowed ({})": "{0}: o backlog de escuta transbordou ({1})",
    "a connection": "uma conexão",
    "a greeting, or a completed login": "uma saudação, ou um login completo",
    "a greeting or a clear refusal": "uma saudação ou uma recusa clara",
    "the server was stopped, and yet a connection to its port was {}": (
        "o servidor estava parado e, mesmo assim, uma conexão à sua porta foi {0}"
    ),
    "refused (ECONNREFUSED)": "recusada (ECONNREFUSED)",
    "{} was connected when the server ended and never saw the end": (
        "{0} estava conectado quando o servidor encerrou e nunca viu o fim"
    ),
    "the end of the connection": "o fim da conexão",
    "the server ended by itself when its last client had left, {*}": (
        "o servidor encerrou sozinho quando o último cliente saiu, {0}"
    ),
    "the server ends when its last client has left: that is judged where all of them leave, elsewhere one stays": (
        "o servidor encerra quando o último cliente sai: isto é julgado onde todos saem, nos outros casos um fica"
    ),
    "{} scenarios are about servers whose messages end in another way, and are left out": (
        "{0} cenários tratam de servidores cujas mensagens terminam de outro modo, e ficam de fora"
    ),
    "the server takes {} clients at the same time: scenarios that need more are skipped": (
        "o servidor aceita {0} clientes ao mesmo tempo: cenários que precisam de mais são pulados"
    ),
    "the server ended by itself, {*}": "o servidor encerrou sozinho, {0}",
    "its exit status is unknown": "seu código de saída é desconhecido",
    "killed by {}": "morto por {0}",
    "killed by signal {}": "morto pelo sinal {0}",
    "with exit status {}": "com código de saída {0}",
    "the same process, running": "o mesmo processo, em execução",
    "it printed nothing": "não imprimiu nada",
    # serves, responsive, restarts, stops.
    "after the fault {} could not connect: {}": "depois da falha, {0} não conseguiu conectar: {1}",
    "after the fault, {*}, the fresh client {} could not log in": (
        "depois da falha, {0}, o cliente novo {1} não conseguiu entrar"
    ),
    "after the fault, {*}, the fresh client {} never heard the fresh client {}": (
        "depois da falha, {0}, o cliente novo {1} nunca ouviu o cliente novo {2}"
    ),
    "while the others were there": "enquanto os outros estavam lá",
    "after everybody had left": "depois que todos tinham saído",
    "two fresh clients talk": "dois clientes novos conversam",
    "two fresh clients talk, both ways": "dois clientes novos conversam, nos dois sentidos",
    "nothing arrived": "nada chegou",
    "messages during the fault: {}": "mensagens durante a falha: {0}",
    "{} heard {} only after {} s (deadline {} s); {} messages of bystanders were late": (
        "{0} só ouviu {1} depois de {2} s (prazo {3} s); {4} mensagens de quem nada fez atrasaram"
    ),
    "during the fault nobody heard anybody for {} s: bystanders were blocked": (
        "durante a falha ninguém ouviu ninguém por {0} s: quem nada fez ficou bloqueado"
    ),
    "within {} s": "em até {0} s",
    "an answer within {} s": "uma resposta em até {0} s",
    "the server did not start again on its own port": "o servidor não voltou a iniciar na própria porta",
    "it listens again": "volta a escutar",
    "told to end by {}, the server still ran after {} s": (
        "mandado encerrar por {0}, o servidor ainda rodava depois de {1} s"
    ),
    "it ends within {} s": "encerra em até {0} s",
    "it runs on": "continua rodando",
    "SIGINT (Ctrl-C) did not end the server within {} s": "SIGINT (Ctrl-C) não encerrou o servidor em {0} s",
    "in {} s": "em {0} s",
    # welcomes, admits, forgets, identity, expires, resumes.
    "{*} was not shown {} within {} s": "{0} não recebeu {1} em até {2} s",
    "{} came back and": "{0} voltou e",
    "{}, a newcomer,": "{0}, que acabava de chegar,",
    "nothing": "nada",
    "{} introductions compared, {} of them of returning clients": (
        "{0} apresentações comparadas, {1} delas de clientes que voltaram"
    ),
    "{} had not joined and was shown what {} said": "{0} não tinha entrado e viu o que {1} disse",
    "nothing of the room before the login": "nada da sala antes do login",
    "the room was told about {}, who never joined": "a sala foi avisada sobre {0}, que nunca entrou",
    "no notice about one who never joined": "nenhum aviso sobre quem nunca entrou",
    "{} has left and still stands in the list": "{0} saiu e continua na lista",
    "a list without {}": "uma lista sem {0}",
    "{} had left {} s before and is refused its own name": (
        "{0} tinha saído {1} s antes e tem o próprio nome recusado"
    ),
    "its name is free again": "o seu nome está livre de novo",
    "{} left ({}) and nobody was told": "{0} saiu ({1}) e ninguém foi avisado",
    "no notice": "nenhum aviso",
    "{} attributions": "{0} atribuições",
    "what {} said was shown as {}": "o que {0} disse apareceu como {1}",
    "the name of {}": "o nome de {0}",
    "two clients were in the room under the one name {}, and nobody was told": (
        "dois clientes estavam na sala com o mesmo nome {0}, e ninguém foi avisado"
    ),
    "names are unique here": "os nomes são únicos aqui",
    "two of {}": "dois de {0}",
    "dropped after {} s": "desconectado depois de {0} s",
    "a silent connection was still open after {} s": "uma conexão calada ainda estava aberta depois de {0} s",
    "the end of the connection within {} s": "o fim da conexão em até {0} s",
    "it stays open": "continua aberta",
    "a client that resumed its session did not get {*} back": (
        "um cliente que retomou a sua sessão não recebeu de volta {0}"
    ),
    "its identity": "a sua identidade",
    "what it had missed": "o que tinha perdido",
    "no session": "nenhuma sessão",
    # delivers, once, ordered, intact, private, genuine.
    "{} deliveries": "{0} entregas",
    "{} of {} deliveries were lost; the first: {} said {} at {} s, {} was connected and never heard it": (
        "{0} de {1} entregas se perderam; a primeira: {2} disse {3} em {4} s, {5} estava conectado e nunca ouviu"
    ),
    "nothing more reached {}": "nada mais chegou a {0}",
    "next came {}": "em seguida veio {0}",
    "{*}; the Toxiproxy passed on all {} bytes that the server sent it": "{0}; o Toxiproxy repassou todos os {1} bytes que o servidor lhe enviou",
    "the server ended the connection of {}, who had done nothing wrong, at {} s": (
        "o servidor encerrou a conexão de {0}, que nada fez de errado, em {1} s"
    ),
    "the connection stays": "a conexão permanece",
    "it ended by {}": "terminou com {0}",
    "{} heard {} {} times": "{0} ouviu {1} {2} vezes",
    "{} heard {} of {} after {}, which was said later": "{0} ouviu {1} de {2} depois de {3}, que foi dita mais tarde",
    "in the order in which they were said": "na ordem em que foram ditas",
    "a message of {} did not arrive as it was said ({*}): {*}": (
        "uma mensagem de {0} não chegou como foi dita ({1}): {2}"
    ),
    "a message of {} came without its invisible characters: joined emoji fall apart": (
        "uma mensagem de {0} chegou sem os seus caracteres invisíveis: emojis compostos se desfazem"
    ),
    "sent in {} segments": "enviada em {0} segmentos",
    "sent as it is": "enviada como é",
    "sent together with {} others in one segment": "enviada junto com outras {0} num só segmento",
    "the words around its token are not those that were said": (
        "as palavras em volta do seu código não são as que foram ditas"
    ),
    "it came in one line with another message": "veio numa só linha com outra mensagem",
    "it came cut into several messages": "veio cortada em várias mensagens",
    "it did not arrive at all": "nem chegou",
    "a part of it was taken for all, and the connection was ended over the rest": (
        "uma parte foi tomada pelo todo, e a conexão foi encerrada por causa do resto"
    ),
    "{*}; this server's messages have no borders, and TCP keeps none": (
        "{0}; as mensagens deste servidor não têm limites, e o TCP não guarda nenhum"
    ),
    "what {} whispered to {} was shown to {}": "o que {0} disse em particular a {1} foi mostrado a {2}",
    "only {} sees it": "só {0} vê",
    "{} was shown a message that nobody sent": "{0} recebeu uma mensagem que ninguém enviou",
    "only what somebody said": "só o que alguém disse",
    "{} was shown a line in the name of {} that {} wrote": "{0} recebeu uma linha em nome de {1} que {2} escreveu",
    "{*}, where the reader takes a rare character for a line break (U+0085, U+2028, U+2029)": (
        "{0}, se o leitor toma um caractere raro por uma quebra de linha (U+0085, U+2028, U+2029)"
    ),
    "the name of {}, or nothing": "o nome de {0}, ou nada",
    "{} was shown words of {} a second time, as {} spoke": (
        "{0} recebeu palavras de {1} uma segunda vez, quando {2} falou"
    ),
    "{} was shown the rest of an older message within another: a buffer keeps what it held": (
        "{0} recebeu o resto de uma mensagem mais antiga dentro de outra: um buffer guarda o que tinha"
    ),
    "what each one said, and nothing else": "o que cada um disse, e nada mais",
    "{} was shown {} empty messages of {}, who had left": "{0} recebeu {1} mensagens vazias de {2}, que tinha saído",
    "{} clients who had left said one thing more: nothing, in an empty message": (
        "{0} clientes que tinham saído disseram mais uma coisa: nada, numa mensagem vazia"
    ),
    # threads, sockets, memory, idles.
    "threads": "threads",
    "processes": "processos",
    "open files and sockets": "arquivos e sockets abertos",
    "{} before, {} after": "{0} antes, {1} depois",
    "{} before, {} after the fault, then {}, {}, {} as it was done again": (
        "{0} antes, {1} depois da falha, depois {2}, {3}, {4} quando tudo foi repetido"
    ),
    "it does not grow with departures: {*}": "não cresce com as saídas: {0}",
    "threads grow with every client that left: {*}": "as threads crescem a cada cliente que sai: {0}",
    "processes grow with every client that left: {*}": "os processos crescem a cada cliente que sai: {0}",
    "open files and sockets grow with every client that left: {*}": (
        "os arquivos e sockets abertos crescem a cada cliente que sai: {0}"
    ),
    "{*} before, {} after; in other scenarios of this run they were seen to grow with every client that left": (
        "{0} antes, {1} depois; em outros cenários desta execução foram vistos crescer a cada cliente que sai"
    ),
    "{*} at rest": "{0} em repouso",
    "1 thread": "1 thread",
    "{} threads": "{0} threads",
    "1 process": "1 processo",
    "{} processes": "{0} processos",
    "1 open file or socket": "1 arquivo ou socket aberto",
    "{} open files and sockets": "{0} arquivos e sockets abertos",
    "1 connection stays in CLOSE_WAIT: the clients have closed, the server never does ({})": (
        "1 conexão fica em CLOSE_WAIT: os clientes fecharam, o servidor nunca fecha ({0})"
    ),
    "{} connections stay in CLOSE_WAIT: the clients have closed, the server never does ({})": (
        "{0} conexões ficam em CLOSE_WAIT: os clientes fecharam, o servidor nunca fecha ({1})"
    ),
    "none, once everybody has left": "nenhuma, depois que todos saíram",
    "{} in CLOSE_WAIT": "{0} em CLOSE_WAIT",
    "{} MiB were pushed at it, its memory grew by {} MiB": (
        "{0} MiB foram empurrados para ele, a sua memória cresceu {1} MiB"
    ),
    "{} MiB without a newline were passed on as they came, and not kept": (
        "{0} MiB sem quebra de linha foram repassados como vieram, e não guardados"
    ),
    "{} MiB were announced and did not come, its memory grew by {} MiB": (
        "{0} MiB foram anunciados e não vieram, a sua memória cresceu {1} MiB"
    ),
    "{*}: it makes room for whatever a length says": "{0}: reserva o que qualquer tamanho anuncia",
    "{*}: it keeps what it should drop or refuse": "{0}: guarda o que deveria descartar ou recusar",
    "a bound": "um limite",
    "{} MiB more": "{0} MiB a mais",
    "as many clients came and went in each round, and {*}": "em cada rodada vieram e foram tantos clientes, e {0}",
    "its memory grew by {}": "a sua memória cresceu {0}",
    "the memory of those who left is used again": "a memória de quem saiu é usada de novo",
    "with nobody connected it used {} of a processor over {} s: a busy loop": (
        "sem ninguém conectado, usou {0} de um processador por {1} s: um laço de espera ativa"
    ),
    "while everybody was silent it used {} of a processor over {} s: a busy loop": (
        "com todos calados, usou {0} de um processador por {1} s: um laço de espera ativa"
    ),
    "nothing to do, nothing done": "nada a fazer, nada feito",
    "{} of a processor": "{0} de um processador",
    # handshake, closes, handles, discreet.
    "{} times {}, seen on the wire": "{0} vezes {1}, visto na rede",
    "{} times {}, seen on the wire; {} SYN got no answer": "{0} vezes {1}, visto na rede; {2} SYN sem resposta",
    "{} times {}, seen on the wire; of {} more only a part was seen ({} packets were not kept)": (
        "{0} vezes {1}, visto na rede; de mais {2} só uma parte foi vista ({3} pacotes não foram guardados)"
    ),
    "{} times {}, seen on the wire; {} SYN got no answer; of {} more only a part was seen ({} packets were not kept)": (
        "{0} vezes {1}, visto na rede; {2} SYN sem resposta; de mais {3} só uma parte foi vista ({4} pacotes não foram "
        "guardados)"
    ),
    "{} times {}, seen on the wire{}": "{0} vezes {1}, visto na rede{2}",
    "{} connections were made and served, as the sockets tell ({*})": (
        "{0} conexões foram feitas e atendidas, como dizem os sockets ({1})"
    ),
    "no packets were captured": "nenhum pacote foi capturado",
    "the handshake of {}, who was let in, was never completed": (
        "o handshake de {0}, que pôde entrar, nunca foi completado"
    ),
    "silence": "silêncio",
    "{} polite leaves": "{0} saídas educadas",
    "{} polite leaves{}": "{0} saídas educadas{1}",
    "{} polite leaves; {} of them as the client's socket tells": (
        "{0} saídas educadas; {1} delas como diz o socket do cliente"
    ),
    "behind the Toxiproxy only packets show how the server ends a connection: {*}": (
        "atrás do Toxiproxy só pacotes mostram como o servidor encerra uma conexão: {0}"
    ),
    "its packets were not seen": "seus pacotes não foram vistos",
    "{} packets came when there was no more room for them, and no handshake was seen to its end": (
        "{0} pacotes vieram quando não havia mais lugar para eles, e nenhum handshake foi visto até o fim"
    ),
    "{} said good-bye and the server never closed the connection": "{0} se despediu e o servidor nunca fechou a conexão",
    "{} said good-bye and the server ended the connection with a reset": (
        "{0} se despediu e o servidor encerrou a conexão com um reset"
    ),
    "the server printed an exception that nothing handled: {}": (
        "o servidor imprimiu uma exceção que nada tratou: {0}"
    ),
    "faults of clients are handled": "as falhas dos clientes são tratadas",
    "{} was shown the server's internals: {}": "{0} recebeu detalhes internos do servidor: {1}",
    "a plain word": "uma palavra simples",
    # Clues to a cause.
    "its output shows {}": "a saída mostra {0}",
    "its process was ended by {}": "o processo foi encerrado por {0}",
    "{} threads wait for the same lock": "{0} threads esperam pela mesma trava",
    "a thread waits for a lock that nobody gives back": "uma thread espera por uma trava que ninguém solta",
    "{*}; the last to leave before was {}, at {} s": "{0}; a última saída antes disso foi a de {1}, em {2} s",
    "a thread is stuck in sending to {}": "uma thread está presa no envio a {0}",
    "a thread is stuck in sending to a client": "uma thread está presa no envio a um cliente",
    "its only thread waits for bytes of {}": "sua única thread espera por bytes de {0}",
    "its only thread waits for bytes of one client": "sua única thread espera por bytes de um cliente",
    # What its threads were doing.
    "at {} s, when {*}": "em {0} s, quando {1}",
    "a message did not come": "uma mensagem não chegou",
    "a login was not answered": "um login não foi respondido",
    "an introduction did not come": "uma apresentação não chegou",
    "it was to be stopped": "ia ser encerrado",
    "{} threads: {}": "{0} threads: {1}",
    "waiting for a lock: {}": "esperando por uma trava: {0}",
    "waiting for another thread: {}": "esperando por outra thread: {0}",
    "reading from a client: {}": "lendo de um cliente: {0}",
    "writing to a client: {}": "escrevendo para um cliente: {0}",
    "waiting for newcomers: {}": "esperando por quem chega: {0}",
    "waiting for any connection: {}": "esperando por qualquer conexão: {0}",
    "sleeping: {}": "dormindo: {0}",
    "waiting for a child process: {}": "esperando por um processo filho: {0}",
    "running: {}": "executando: {0}",
    "waits for the lock at {}: thread {}": "espera pela trava em {0}: thread {1}",
    "waits for another thread, not for ever: thread {}": "espera por outra thread, com prazo: thread {0}",
    "waits for another thread: thread {}": "espera por outra thread: thread {0}",
    "waits for bytes of {}: thread {}": "espera por bytes de {0}: thread {1}",
    "waits until {} takes more bytes: thread {}": "espera que {0} receba mais bytes: thread {1}",
    "waits in the kernel, in {}: thread {}": "espera no kernel, em {0}: thread {1}",
    "is in system call {}: thread {}": "está na chamada de sistema {0}: thread {1}",
    "is doing what cannot be seen: thread {}": "faz algo que não se pode ver: thread {0}",
    "is waiting for newcomers: thread {}": "espera por quem chega: thread {0}",
    "is waiting for any connection: thread {}": "espera por qualquer conexão: thread {0}",
    "is sleeping: thread {}": "dorme: thread {0}",
    "is waiting for a child process: thread {}": "espera por um processo filho: thread {0}",
    "is running: thread {}": "está executando: thread {0}",
    "stacks, by {}": "pilhas, por {0}",
    "for stacks: {}": "para ver as pilhas: {0}",
    # What a machine does not allow.
    "network namespaces exist on Linux only": "namespaces de rede só existem no Linux",
    "{}; allow unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1, "
    "kernel.apparmor_restrict_unprivileged_userns=0), or run as root": (
        "{0}; permita namespaces de usuário sem privilégios (sysctl kernel.unprivileged_userns_clone=1, "
        "kernel.apparmor_restrict_unprivileged_userns=0), ou rode como root"
    ),
    "no packet ring here: {}": "não há anel de pacotes aqui: {0}",
    # What the quiet runs have learned.
    "dialect {}: messages are {}s": "dialeto {0}: as mensagens são {1}s",
    "a quiet round trip takes {} ms": "uma ida e volta em repouso leva {0} ms",
    "newcomers are shown: {}": "quem chega recebe: {0}",
    "messages look like: {}…": "as mensagens têm a forma: {0}…",
    "an arrival is told: {}": "uma chegada é avisada: {0}",
    "a departure is told: {}": "uma saída é avisada: {0}",
    "a name that is taken is {}": "um nome já usado é {0}",
    "there are no names": "não há nomes",
    "the longest message that it takes has {} bytes: nobody says more": (
        "a maior mensagem que ele aceita tem {0} bytes: ninguém diz mais que isso"
    ),
    "one client may say {} things at once, then one each {} s ({*}): nobody speaks faster": (
        "um cliente pode dizer {0} coisas de uma vez, depois uma a cada {1} s ({2}): ninguém fala mais depressa"
    ),
    "it ends the connection": "ele encerra a conexão",
    "what is said faster is not passed on": "o que é dito mais depressa não é repassado",
    "the answer: {}": "a resposta: {0}",
    "the server runs as another user, whose limits are not ours to change": (
        "o servidor roda como outro usuário, cujos limites não são nossos para mudar"
    ),
    "this server limits how fast one client may speak": "este servidor limita a rapidez com que um cliente fala",
    # Why there is no repro.py.
    "this property cannot be seen from a bare socket": "esta propriedade não pode ser vista de um simples socket",
    "it takes a crowd: `harness replay` brings it": "precisa de uma multidão: `harness replay` a traz",
    "it takes {} steps: too many for a file that is read": "precisa de {0} passos: demais para um arquivo que se lê",
    "it sends more bytes than a file that is read can hold": "envia mais bytes do que cabem num arquivo que se lê",
    "it needs what is done to the server's process": "precisa do que é feito com o processo do servidor",
    "it could not be written into the report's folder": "não foi possível gravá-lo na pasta do relatório",
    "how two came to have one name is not known": "não se sabe como dois chegaram a ter o mesmo nome",
    "the harness could not write it, which is a fault of its own": "o harness não conseguiu escrevê-lo: um defeito do próprio harness",
    "a second window of the same name may be refused, and nobody is told then that it goes": (
        "uma segunda janela com o mesmo nome pode ser recusada, e então ninguém é avisado de que ela se vai"
    ),
    "what nobody sent cannot be asked for again": "o que ninguém enviou não pode ser pedido de novo",
    "no resumption is declared": "nenhuma retomada de sessão é declarada",
    "nobody left politely": "ninguém saiu com despedida",
    "nobody had told the server to end": "ninguém tinha mandado o servidor encerrar",
    "nobody was there to be told": "não havia ninguém para ser avisado",
    "nobody is known who heard it": "não se sabe de ninguém que a ouviu",
    "nobody is there to hear the newcomer": "não há ninguém para ouvir quem chega",
    "who is still listed is not known": "não se sabe quem ainda está na lista",
    "who was refused its name is not known": "não se sabe a quem o nome foi recusado",
    "who left is not known": "não se sabe quem saiu",
    "who left politely is not known": "não se sabe quem saiu com despedida",
    "who was not welcomed is not known": "não se sabe quem não foi recebido",
    "who was welcomed is not known": "não se sabe quem foi recebido",
    "who missed the message is not known": "não se sabe quem não ouviu a mensagem",
    "who waited for it is not known": "não se sabe quem esperou por ela",
    "who spoke under whose name is not known": "não se sabe quem falou com o nome de quem",
    "in whose name it was shown is not known": "não se sabe em nome de quem apareceu",
    "whose ghost it is is not known": "não se sabe de quem é o fantasma",
    "the damaged message is not known": "não se sabe qual mensagem foi danificada",
    "the message that it was joined with is not known": "não se sabe a que mensagem foi juntada",
    "the lost message is not known": "não se sabe qual mensagem se perdeu",
    "the repeated message is not known": "não se sabe qual mensagem se repetiu",
    "the overtaken message is not known": "não se sabe qual mensagem foi ultrapassada",
    "the message that was late is not known": "não se sabe qual mensagem atrasou",
    "the whisper is not known": "não se sabe qual foi o sussurro",
    "what nobody said is not known": "não se sabe o que ninguém disse",
    "what was pushed at it is not known": "não se sabe o que lhe foi empurrado",
    "what was announced is not known": "não se sabe o que foi anunciado",
    "how it was announced is not known": "não se sabe como foi anunciado",
    "what was shown is not known": "não se sabe o que apareceu",
}


@functools.lru_cache(REMEMBERED)
def in_portuguese(sentence: str) -> str:
    """The sentence in Portuguese; where no form fits, as it is."""
    plain = FORMS.get(sentence)
    if plain is not None:
        return plain
    for pattern, clauses, portuguese in _patterns():
        match = pattern.fullmatch(sentence)
        if match is not None:
            parts = [
                in_portuguese(part) if clause else _value(part)
                for part, clause in zip(match.groups(), clauses, strict=True)
            ]
            return portuguese.format(*parts)
    return sentence


@functools.cache
def _patterns() -> tuple[tuple[re.Pattern[str], tuple[bool, ...], str], ...]:
    """The forms with gaps: those that begin with a word before those that begin with a gap, the most words first; how often
    a failure was seen before all."""
    gapped = [(english, told) for english, told in FORMS.items() if "{" in english]
    gapped.sort(key=lambda form: (form[0] != OFTEN, form[0].startswith("{"), -len(re.sub(r"\{\*?\}", "", form[0]))))
    made = []
    for english, told in gapped:
        pieces = re.split(r"(\{\*?\})", english)
        pattern = "".join("(.+?)" if piece in ("{}", "{*}") else re.escape(piece) for piece in pieces)
        clauses = tuple(piece == "{*}" for piece in pieces if piece in ("{}", "{*}"))
        made.append((re.compile(pattern, re.DOTALL), clauses, told))
    return tuple(made)


def _value(part: str) -> str:
    """A number has a comma in Portuguese; everything else stays."""
    return part.replace(".", ",") if re.fullmatch(r"\d+\.\d+", part) else part
