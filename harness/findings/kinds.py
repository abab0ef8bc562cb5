"""The kinds of causes: what probably happens in the server, and how to mend it. Tables, and nothing else.

`title` goes on from "probably …"; each text is English first, then Brazilian Portuguese, in the order of
`harness.language.CODES`. `explains` are the properties that such a cause can break: no other failure is put down to it.
"""

from __future__ import annotations

from dataclasses import dataclass

#: What is lost when a client's thread, or the whole server, comes to a halt.
_HALTED = frozenset({
    "accepts", "refuses", "survives", "serves", "responsive", "restarts", "stops", "welcomes", "forgets", "identity",
    "expires", "resumes", "delivers", "threads", "sockets", "closes",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of cause. `stands_first` before those that may only follow from it, the lowest first."""

    title: tuple[str, str]
    remedy: tuple[str, str]
    explains: frozenset[str] = _HALTED
    stands_first: int = 5


KINDS: dict[str, Kind] = {
    # -- what the server printed, or how it ended
    "memory-fault": Kind(
        ("a memory fault: a client's data is used after it was freed, or past its end", "uma falha de memória: os dados de um cliente são usados depois de liberados, ou além do seu fim"),
        ("Build with -fsanitize=address,undefined -g and run it again: the report names the line. Free a client in one place only, and keep every index within its buffer.",
         "Compile com -fsanitize=address,undefined -g e rode de novo: o relatório dá a linha. Libere um cliente num único lugar, e mantenha cada índice dentro do seu buffer."),
        stands_first=1,
    ),
    "sigpipe": Kind(
        ("SIGPIPE: the server writes to a client that is gone, and that ends the process", "SIGPIPE: o servidor escreve para um cliente que já saiu, e isso encerra o processo"),
        ("Ignore it once, at the start (signal(SIGPIPE, SIG_IGN)), or send with MSG_NOSIGNAL; then treat EPIPE as that client's departure.",
         "Ignore-o uma vez, no início (signal(SIGPIPE, SIG_IGN)), ou envie com MSG_NOSIGNAL; e trate EPIPE como a saída daquele cliente."),
        stands_first=1,
    ),
    "aborted": Kind(
        ("the process aborts itself: a failed assertion, or an exception that nothing catches", "o processo aborta a si mesmo: uma asserção que falha, ou uma exceção que ninguém trata"),
        ("Handle what one client sends or does in that client's own code; let nothing that comes from outside reach an assertion.",
         "Trate o que um cliente envia ou faz no código daquele cliente; nada que venha de fora deve chegar a uma asserção."),
        stands_first=1,
    ),
    "descriptors": Kind(
        ("the process runs out of file descriptors, and does not get over it", "o processo fica sem descritores de arquivo, e não se recupera"),
        ("Close every socket when its client has gone. When accept() fails with EMFILE, wait a moment and go on; do not leave the loop, and do not spin in it.",
         "Feche cada socket quando o cliente sai. Quando accept() falhar com EMFILE, espere um momento e continue; não saia do laço, nem gire nele."),
        stands_first=2,
    ),
    "threads-out": Kind(
        ("no more threads can be started, and the error is not handled", "não é possível criar mais threads, e o erro não é tratado"),
        ("Let the threads of those who left end, bound their number, and treat a thread that cannot be started as one refused client.",
         "Faça terminar as threads de quem saiu, limite o seu número, e trate uma thread que não pôde ser criada como um cliente recusado."),
        stands_first=2,
    ),
    "memory-out": Kind(
        ("the process runs out of memory: something grows without a limit", "o processo fica sem memória: algo cresce sem limite"),
        ("Bound the length of a line and the queue of each client; drop the client who exceeds them.",
         "Limite o tamanho da linha e a fila de cada cliente; derrube o cliente que passar deles."),
        _HALTED | {"memory"}, 2,
    ),
    "iteration": Kind(
        ("the collection of clients changes while another thread or task goes through it", "a coleção de clientes muda enquanto outra thread ou tarefa a percorre"),
        ("Take a copy under the lock (list(clients)) and go through the copy; in Java a CopyOnWriteArrayList or ConcurrentHashMap, in Go a mutex or one owner goroutine.",
         "Faça uma cópia sob a trava (list(clients)) e percorra a cópia; em Java uma CopyOnWriteArrayList ou ConcurrentHashMap, em Go um mutex ou uma única goroutine dona."),
    ),
    "decode": Kind(
        ("bytes that are not UTF-8 raise an error that ends the client's thread, or the server", "bytes que não são UTF-8 lançam um erro que encerra a thread do cliente, ou o servidor"),
        ("Decode whole lines only, with errors=\"replace\" (Java: a decoder with REPLACE; Rust: from_utf8_lossy), or catch the error and go on to the next line.",
         "Decodifique só linhas completas, com errors=\"replace\" (Java: um decodificador com REPLACE; Rust: from_utf8_lossy), ou trate o erro e siga para a próxima linha."),
        _HALTED | {"intact", "genuine"},
    ),
    "read-reset": Kind(
        ("a connection that is reset raises an error where the server reads from it, and nobody tidies up after that client", "uma conexão resetada lança um erro onde o servidor lê dela, e ninguém limpa o que era daquele cliente"),
        ("Treat ECONNRESET like the end of the input: catch it around the reading loop, and remove the client and close its socket in a finally.",
         "Trate ECONNRESET como o fim da entrada: capture-o em volta do laço de leitura, e remova o cliente e feche o socket num finally."),
    ),
    "dead-receiver": Kind(
        ("a client that is gone is still written to; that error ends the broadcast, and with it the thread of an innocent sender", "ainda se escreve para um cliente que já saiu; esse erro encerra o broadcast, e com ele a thread de um remetente inocente"),
        ("Catch the error of each receiver inside the broadcast's loop, go on with the next, and remove the dead one afterwards.",
         "Trate o erro de cada destinatário dentro do laço do broadcast, siga com o próximo, e remova o morto depois."),
    ),
    "connection-error": Kind(
        ("the error of one client's connection is not handled", "o erro da conexão de um cliente não é tratado"),
        ("Handle the errors of a connection in that client's own code (in Node: an 'error' listener on every socket), and clean up there.",
         "Trate os erros de uma conexão no código daquele cliente (no Node: um ouvinte de 'error' em cada socket), e limpe ali."),
    ),
    "cleanup": Kind(
        ("a client is removed twice, or by two threads at once, and the second time raises", "um cliente é removido duas vezes, ou por duas threads ao mesmo tempo, e a segunda lança um erro"),
        ("Let one function remove a client, under the lock, and let it do nothing the second time (discard, pop(key, None)).",
         "Deixe uma só função remover um cliente, sob a trava, e que ela nada faça da segunda vez (discard, pop(chave, None))."),
    ),
    "argument": Kind(
        ("a line with a missing or odd part (an empty one, a command without its argument) raises an error that ends the client's thread, or the server", "uma linha com uma parte ausente ou estranha (vazia, ou um comando sem argumento) lança um erro que encerra a thread do cliente, ou o servidor"),
        ("Check how many words there are before using them, answer with one line on how the command is used, and go on reading.",
         "Verifique quantas palavras há antes de usá-las, responda com uma linha sobre o uso do comando, e continue lendo."),
        _HALTED | {"genuine", "private", "intact"},
    ),
    "null": Kind(
        ("something that is not there any more (a client's entry, its name, its socket) is used", "usa-se algo que não existe mais (a entrada de um cliente, seu nome, seu socket)"),
        ("Look a client up once, under the lock, and treat \"not there\" as an answer.",
         "Procure o cliente uma vez, sob a trava, e trate \"não está\" como uma resposta."),
    ),
    "long-line": Kind(
        ("a line longer than the reader's limit raises an error that is not handled", "uma linha maior que o limite do leitor lança um erro que não é tratado"),
        ("Catch it in that client's own code: tell the client that the line is too long, and close or go on with the next.",
         "Trate-o no código daquele cliente: diga que a linha é longa demais, e feche ou siga com a próxima."),
    ),
    "goroutines": Kind(
        ("a channel is used after it was closed, or every goroutine waits for another", "um canal é usado depois de fechado, ou toda goroutine espera por outra"),
        ("Let the one goroutine that sends close the channel, once; whoever else may end signals it through a done channel.",
         "Deixe só a goroutine que envia fechar o canal, uma vez; quem mais puder terminar avisa por um canal done."),
        stands_first=3,
    ),
    "exception": Kind(
        ("an exception that nothing handles ends a client's thread, or the server", "uma exceção que ninguém trata encerra a thread de um cliente, ou o servidor"),
        ("Handle it in that client's own code, log one line, and clean up in a finally.",
         "Trate-a no código daquele cliente, registre uma linha, e limpe num finally."),
        stands_first=6,
    ),
    # -- what its threads were doing
    "lock": Kind(
        ("a deadlock: threads wait for a lock that nobody gives back", "um deadlock: threads esperam por uma trava que ninguém solta"),
        ("Hold a lock in a with block (try/finally, defer), never take it twice in one thread, and neither send nor call back while holding it: copy the clients, give it back, then send.",
         "Segure a trava num bloco with (try/finally, defer), nunca a pegue duas vezes na mesma thread, e não envie nada enquanto a segura: copie os clientes, solte-a, e então envie."),
        stands_first=3,
    ),
    "blocked-send": Kind(
        ("the server is blocked in sending to one client that does not read, and everybody waits for it", "o servidor está bloqueado no envio a um cliente que não lê, e todos esperam por ele"),
        ("Give each client a bounded queue and a writer of its own, never send with a lock held, and drop the client whose queue is full.",
         "Dê a cada cliente uma fila limitada e um escritor próprio, nunca envie com uma trava na mão, e derrube o cliente cuja fila encher."),
        stands_first=3,
    ),
    "blocked-read": Kind(
        ("the only thread of the server waits for the words of one client, and nobody else is served meanwhile", "a única thread do servidor espera pelas palavras de um cliente, e ninguém mais é atendido enquanto isso"),
        ("Let the accept loop only accept: read each client in a thread or task of its own (or with select), the login included, with a timeout.",
         "Deixe o laço de accept só aceitar: leia cada cliente numa thread ou tarefa própria (ou com select), inclusive o login, com prazo."),
        stands_first=3,
    ),
    # -- the pattern of what fails
    "kept": Kind(
        ("clients that are gone stay in the server's list", "clientes que já saíram continuam na lista do servidor"),
        ("Lead every end of a client (leave word, 0 bytes, error) to one function that takes it out of every list, closes its socket and lets its threads end; call it in a finally.",
         "Leve todo fim de um cliente (palavra de saída, 0 bytes, erro) a uma única função que o tire de todas as listas, feche o socket e deixe terminar suas threads; chame-a num finally."),
        frozenset({"forgets", "sockets", "threads", "delivers", "genuine", "identity"}), 8,
    ),
    "borders": Kind(
        ("what one recv() gives is taken for one whole message, although TCP keeps no borders", "o que um recv() devolve é tomado por uma mensagem inteira, embora o TCP não guarde fronteiras"),
        ("Collect the bytes of each connection in a buffer, split it at the newline, and keep the rest for later.",
         "Junte os bytes de cada conexão num buffer, separe-o no fim de linha, e guarde o resto para depois."),
        frozenset({"intact", "delivers", "genuine", "ordered"}), 8,
    ),
    "waits-for-one": Kind(
        ("somebody waits for one client in the path of all: a blocking send, a login in the accept loop, or a lock held meanwhile", "espera-se por um cliente no caminho de todos: um envio bloqueante, um login no laço de accept, ou uma trava segurada enquanto isso"),
        ("Read and write each client in a thread or task of its own, with a timeout and a bounded queue; hold no lock while waiting.",
         "Leia e escreva cada cliente numa thread ou tarefa própria, com prazo e fila limitada; não segure trava enquanto espera."),
        frozenset({"responsive", "accepts", "serves"}), 8,
    ),
    "unbounded": Kind(
        ("a line without an end, or the queue of one who does not read, is kept without a limit", "uma linha sem fim, ou a fila de quem não lê, é guardada sem limite"),
        ("Bound both: end the client whose line grows too long, and drop the one whose queue is full.",
         "Limite as duas: encerre o cliente cuja linha cresce demais, e derrube aquele cuja fila encher."),
        frozenset({"memory"}), 8,
    ),
    "believed-length": Kind(
        ("room is made for as many bytes as a message's length claims, before they have come", "reserva-se tanta memória quanto o tamanho de uma mensagem anuncia, antes de os bytes chegarem"),
        ("Compare the length with the longest message you want to take, end the connection where it is more, and let the buffer grow with what really comes.",
         "Compare o tamanho com o da maior mensagem que quer aceitar, encerre a conexão quando for maior, e deixe o buffer crescer com o que de fato chega."),
        frozenset({"memory"}), 8,
    ),
    "end-unnoticed": Kind(
        ("the end of a client's input (recv() gives 0 bytes) is not taken for the end, and the loop goes on reading", "o fim da entrada de um cliente (recv() devolve 0 bytes) não é tomado por fim, e o laço continua lendo"),
        ("Leave the loop at 0 bytes: close the socket, and take it out of every list and poll set.",
         "Saia do laço com 0 bytes: feche o socket, e tire-o de toda lista e de todo poll."),
        frozenset({"idles"}), 8,
    ),
    "first-come": Kind(
        ("what a newcomer is shown depends on what an earlier connection left behind", "o que se mostra a quem chega depende do que uma conexão anterior deixou"),
        ("Greet every connection in one function, before anything else, with state that belongs to that connection.",
         "Saúde toda conexão numa única função, antes de tudo, com estado que pertença àquela conexão."),
        frozenset({"welcomes"}), 8,
    ),
}  # fmt: skip

#: A failure's fingerprint, or its beginning → the cause that such a failure suggests by itself.
PATTERNS: dict[str, str] = {
    "forgets:still-listed": "kept", "forgets:name-taken": "kept", "forgets:not-told": "kept", "genuine:ghost": "kept",
    "sockets:": "kept", "threads:": "kept", "delivers:after-departure": "kept",
    "intact:joined": "borders", "intact:cut": "borders", "intact:lost": "borders",
    "responsive:": "waits-for-one", "accepts:not-let-in": "waits-for-one", "serves:no-login": "waits-for-one",
    "memory:believes-a-length": "believed-length", "memory:": "unbounded", "idles:busy": "end-unnoticed", "welcomes:": "first-come",
}  # fmt: skip
