"""The word of advice beside a finding: the most probable cause of a violated property, and what to change.

One entry for each property of the catalogue, English first, then Brazilian Portuguese, each of one or two sentences on
one line. The pages say the rest.
"""

from __future__ import annotations

#: property → (English, Portuguese), in the order of `harness.language.CODES`.
REMEDIES: dict[str, tuple[str, str]] = {
    "accepts": (
        "The accept loop probably waits for one client's name, or has ended by an exception. Let it only accept, and read the name in the client's own thread or task, with a timeout.",
        "O laço de accept provavelmente espera pelo nome de um cliente, ou foi encerrado por uma exceção. Deixe-o só aceitar, e leia o nome na thread ou tarefa do próprio cliente, com prazo.",
    ),
    "refuses": (
        "Some process or blocked accept() still holds the listening socket. When stopping, call shutdown() and close() on it, then close every client; after fork, close it in the child.",
        "Algum processo, ou um accept() bloqueado, ainda segura o socket de escuta. Ao parar, chame shutdown() e close() nele e depois feche cada cliente; após um fork, feche-o no filho.",
    ),
    "survives": (
        "One client's fault reached the whole process: SIGPIPE in C, a socket without an 'error' listener in Node, an unhandled exception or a data race elsewhere. Handle each client's errors in that client's own code.",
        "A falha de um cliente atingiu o processo inteiro: SIGPIPE em C, um socket sem ouvinte de 'error' no Node, uma exceção sem tratamento ou uma condição de corrida nas demais. Trate os erros de cada cliente no código daquele cliente.",
    ),
    "serves": (
        "A dead client is still in the list, or a lock was never given back (taken twice, or left by an exception). Remove the client under the lock, release it, and only then announce; do so in a finally.",
        "Um cliente morto ainda está na lista, ou uma trava nunca foi solta (pega duas vezes, ou abandonada por uma exceção). Remova o cliente sob a trava, solte-a e só então avise os demais; faça isso num finally.",
    ),
    "responsive": (
        "Someone waits for one client in the path of all: a blocking send() to one who does not read, often with the lock held, or a login in the accept loop. Give each client a bounded outbox, and drop the client whose outbox is full.",
        "Alguém espera por um cliente no caminho de todos: um send() bloqueante para quem não lê, muitas vezes com a trava na mão, ou um login no laço de accept. Dê a cada cliente uma fila de saída limitada e derrube aquele cuja fila encher.",
    ),
    "restarts": (
        "SO_REUSEADDR is missing, so connections in TIME_WAIT keep the port taken, or an old process still listens. Set the option before bind(), and close the inherited listener in child processes.",
        "Falta SO_REUSEADDR, e conexões em TIME_WAIT mantêm a porta ocupada, ou um processo antigo ainda escuta. Defina a opção antes do bind() e feche nos processos filhos o socket de escuta herdado.",
    ),
    "stops": (
        "The signal is caught but nothing ends: the flag is never looked at, or threads wait in recv(). Let the signal wake the main loop, close every connection, and wait for nobody without a limit.",
        "O sinal é capturado, mas nada termina: ninguém consulta a variável, ou há threads presas em recv(). Faça o sinal acordar o laço principal, feche todas as conexões e não espere ninguém sem prazo.",
    ),
    "welcomes": (
        "The introduction depends on what an earlier connection left behind, or comes after a broadcast that fails. Greet every connection in one function, before anything else, with state that belongs to that connection.",
        "A apresentação depende do que uma conexão anterior deixou, ou vem depois de um broadcast que falha. Saúde toda conexão numa única função, antes de tudo, com estado que pertença àquela conexão.",
    ),
    "admits": (
        "The client is put into the room before its login is complete, or its departure is announced although it never joined. Register it once the name is accepted, and announce only those who were registered.",
        "O cliente entra na sala antes de concluir o login, ou sua saída é anunciada sem que tenha entrado. Registre-o só depois de aceitar o nome, e anuncie apenas quem estava registrado.",
    ),
    "forgets": (
        "Only the leave word cleans up; a FIN (recv() gives 0 bytes) or a reset (ECONNRESET) does not. Lead all of them to one leave function, in a finally, that removes name, list entry and socket together.",
        "Só a palavra de saída faz a limpeza; um FIN (recv() devolve 0 bytes) ou um reset (ECONNRESET) não. Leve todos à mesma função de saída, num finally, que remova nome, entrada na lista e socket de uma vez.",
    ),
    "identity": (
        "The name lives in shared state, or is checked and taken in two steps. Keep it in the connection's own object, and look and take under one lock (setdefault, putIfAbsent).",
        "O nome está em estado compartilhado, ou é verificado e ocupado em dois passos. Guarde-o no objeto da própria conexão, e verifique e ocupe sob a mesma trava (setdefault, putIfAbsent).",
    ),
    "expires": (
        "Reads have no deadline, or what the server writes resets it. Set a timeout for each read, moved only by what the client sends, and let it lead to the same leave function.",
        "As leituras não têm prazo, ou o que o servidor escreve o reinicia. Defina um prazo por leitura, renovado só pelo que o cliente envia, que leve à mesma função de saída.",
    ),
    "resumes": (
        "The session dies with its socket, or messages fall between the replay and going live. Keep the session apart from the connection, and replay and attach under the lock that broadcasts take.",
        "A sessão morre com o socket, ou mensagens se perdem entre o reenvio e a volta ao vivo. Guarde a sessão à parte da conexão, e reenvie e reconecte sob a mesma trava que o broadcast usa.",
    ),
    "delivers": (
        "A dead client stays in the list and its failing send() ends the broadcast, often with the innocent sender's thread. Iterate over a copy, catch the error for each receiver, and remove the dead afterwards.",
        "Um cliente morto continua na lista, e o send() que falha encerra o broadcast, muitas vezes com a thread do remetente inocente. Percorra uma cópia, trate o erro de cada destinatário e remova os mortos depois.",
    ),
    "once": (
        "The client is in the list twice (a rename or a return adds it again), or a failed broadcast is repeated as a whole. Keep clients in a set or map keyed by connection, and go on where a send stopped.",
        "O cliente está duas vezes na lista (trocar de nome ou voltar o acrescenta de novo), ou um broadcast que falhou é repetido inteiro. Guarde os clientes num conjunto ou mapa por conexão, e continue de onde o envio parou.",
    ),
    "ordered": (
        "Each message is given to a thread, task or goroutine of its own. Handle the lines of one connection one after the other, with one queue and one writer for each receiver.",
        "Cada mensagem é entregue a uma thread, tarefa ou goroutine própria. Trate as linhas de uma conexão uma após a outra, com uma fila e um único escritor por destinatário.",
    ),
    "intact": (
        "One recv() is taken for one message, but TCP keeps no borders. Collect the bytes of each connection in a buffer, split it at the newline, keep the rest for later, and decode only whole lines.",
        "Um recv() é tomado por uma mensagem, mas o TCP não guarda fronteiras. Junte os bytes de cada conexão num buffer, separe-o no fim de linha, guarde o resto para depois e decodifique só linhas completas.",
    ),
    "private": (
        "A whisper falls through to the broadcast, or its addressee is found by prefix or by a stale entry. Look the exact name up when sending, and never broadcast a line that begins like a command.",
        "O sussurro cai no broadcast, ou o destinatário é achado por prefixo ou por uma entrada velha. Procure o nome exato na hora do envio, e nunca retransmita uma linha que começa como comando.",
    ),
    "genuine": (
        "Control characters pass from a message or name to the readers, or the end of input is relayed as an empty message. Strip control characters and line separators, restrict names, and leave the loop at 0 bytes.",
        "Caracteres de controle passam da mensagem ou do nome aos leitores, ou o fim da entrada é retransmitido como mensagem vazia. Retire controles e separadores de linha, restrinja os nomes e saia do laço com 0 bytes.",
    ),
    "threads": (
        "A thread still waits for a client that is gone: in recv() without noticing the end, or in the queue of its writer. Let whoever notices the end wake the other (shutdown, a sentinel in the queue), and reap child processes.",
        "Uma thread ainda espera por um cliente que saiu: em recv() sem notar o fim, ou na fila de escrita. Quem nota o fim deve acordar a outra (shutdown, um sentinela na fila), e os processos filhos devem ser recolhidos.",
    ),
    "sockets": (
        "The client has closed and the server never calls close() (CLOSE_WAIT). Take 0 bytes from recv() for the end, and close on every way out: with, try-with-resources, defer, the 'close' event.",
        "O cliente fechou e o servidor nunca chama close() (CLOSE_WAIT). Tome os 0 bytes do recv() por fim, e feche em toda saída: with, try-with-resources, defer, o evento 'close'.",
    ),
    "memory": (
        "A line or a slow reader's queue has no limit. Give both a bound: end the client whose line grows too long, and drop the one whose outbox is full.",
        "Uma linha, ou a fila de um leitor lento, não tem limite. Limite as duas: encerre o cliente cuja linha cresce demais e derrube aquele cuja fila de saída encher.",
    ),
    "idles": (
        "A loop goes on reading at the end of input, where recv() returns 0 bytes at once for ever, or keeps a dead descriptor in its poll set. Take it for the end: close, and leave the loop.",
        "Um laço continua lendo no fim da entrada, onde recv() devolve 0 bytes na hora, para sempre, ou mantém um descritor morto no poll. Tome isso por fim: feche e saia do laço.",
    ),
    "handshake": (
        "The accept queue is full, because the backlog is tiny or accept() is called too seldom. Use a backlog of 128 or more, and nothing slow in the accept loop.",
        "A fila de accept está cheia, porque o backlog é pequeno ou accept() é chamado raramente. Use um backlog de 128 ou mais e nada demorado no laço de accept.",
    ),
    "closes": (
        "The socket is closed with unread bytes, so the kernel sends RST, or it is never closed. Say good-bye, shut the writing side down, read until the end with a short limit, then close.",
        "O socket é fechado com bytes não lidos, e o kernel envia RST, ou nunca é fechado. Despeça-se, encerre o lado da escrita com shutdown, leia até o fim com um prazo curto e só então feche.",
    ),
    "handles": (
        "An everyday fault (reset, broken pipe, invalid byte, missing argument) is not expected where it is raised. Catch it for each connection, log one line, and clean up in a finally.",
        "Uma falha comum (reset, broken pipe, byte inválido, argumento ausente) não é esperada onde é lançada. Trate-a em cada conexão, registre uma linha no log e limpe num finally.",
    ),
    "discreet": (
        "The text of an exception is sent to the client. Log it on the server's side, and answer with a plain sentence that was written for users.",
        "O texto de uma exceção é enviado ao cliente. Registre-o no lado do servidor e responda com uma frase simples, escrita para o usuário.",
    ),
}
