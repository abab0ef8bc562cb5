"""What a failure means, in one clause that goes on from "the server …": by its shape, else by its property.

Each has an English and a Portuguese wording, in the order of `harness.language.CODES`. Tables, and nothing else.
"""

from __future__ import annotations

#: property → what a server does that violates it.
BROKEN: dict[str, tuple[str, str]] = {
    "accepts": ("does not take newcomers in", "não atende quem chega"),
    "refuses": ("leaves clients hanging once it is stopped", "deixa os clientes esperando depois de parado"),
    "survives": ("crashes or exits", "cai ou encerra sozinho"),
    "serves": ("does not serve fresh clients afterwards", "não atende clientes novos depois da falha"),
    "responsive": ("lets one bad client hold up the others", "deixa um cliente ruim travar os demais"),
    "restarts": ("cannot be started again on the same port", "não volta a funcionar na mesma porta ao ser reiniciado"),
    "stops": ("does not end in time when told to", "não encerra a tempo quando mandado"),
    "welcomes": ("gives returning clients no introduction", "não apresenta o chat a quem reconecta"),
    "admits": ("shows the room to those who have not joined", "mostra a sala a quem ainda não entrou"),
    "forgets": ("keeps clients that are gone", "não esquece clientes que já saíram"),
    "identity": ("attributes messages to the wrong client", "atribui mensagens ao cliente errado"),
    "expires": ("keeps connections that are silent for too long", "mantém conexões caladas além do tempo declarado"),
    "resumes": ("does not give a returning client its session", "não devolve a sessão a quem retorna"),
    "delivers": ("does not bring messages to everybody", "não entrega as mensagens a todos"),
    "once": ("delivers messages twice", "entrega mensagens repetidas"),
    "ordered": ("delivers messages out of order", "entrega mensagens fora de ordem"),
    "intact": ("delivers messages altered, cut or joined", "entrega mensagens alteradas, cortadas ou emendadas"),
    "private": ("shows directed messages to others", "mostra mensagens privadas a terceiros"),
    "genuine": ("delivers what nobody sent", "entrega mensagens que ninguém enviou"),
    "threads": ("keeps threads of clients that are gone", "mantém threads de clientes que já saíram"),
    "sockets": ("keeps sockets of clients that are gone", "mantém sockets de clientes que já saíram"),
    "memory": ("lets its memory grow without bound", "deixa a memória crescer sem limite"),
    "idles": ("uses the processor while nothing happens", "gasta processador sem nada acontecer"),
    "handshake": ("does not complete the TCP handshake", "não completa o handshake TCP"),
    "closes": ("ends a polite leave with a reset", "encerra uma saída normal com um reset"),
    "handles": ("raises exceptions that it does not handle", "lança exceções que não trata"),
    "discreet": ("shows its internals to clients", "mostra detalhes internos aos clientes"),
}

#: fingerprint → what a server does that fails in this way, or that is worth an advice.
SHAPES: dict[str, tuple[str, str]] = {
    "accepts:backlog": (
        "is given more connections at once than it takes: its listen backlog overflowed",
        "recebe mais conexões de uma vez do que aceita: a fila de listen() transbordou",
    ),
    "stops:sigint": ("does not end on SIGINT (Ctrl-C)", "não encerra com SIGINT (Ctrl-C)"),
    "intact:no-borders": (
        "sends messages without borders, and TCP keeps none: some came cut or joined",
        "envia mensagens sem limites, e o TCP não guarda nenhum: algumas chegaram cortadas ou emendadas",
    ),
    "intact:invisible-taken-out": (
        "takes invisible characters out of messages: joined emoji fall apart",
        "tira caracteres invisíveis das mensagens: emojis compostos se desfazem",
    ),
    "genuine:forged-rarely": (
        "passes on rare line breaks, behind which some readers see another's name",
        "repassa quebras de linha raras, atrás das quais alguns leitores veem o nome de outro",
    ),
    "handles:unhandled": ("prints exceptions that nothing handled", "imprime exceções que nada tratou"),
    "discreet:internals": ("shows its internals to clients", "mostra detalhes internos aos clientes"),
    "accepts:no-connection": ("refuses the connections of newcomers", "recusa a conexão de quem chega"),
    "accepts:not-let-in": ("leaves newcomers waiting for a first word", "deixa quem chega esperando sem resposta"),
    "accepts:crowd-outside": (
        "leaves many outside when many come at once",
        "deixa muitos de fora quando muitos chegam de uma vez",
    ),
    "refuses:still-open": ("still takes connections after it was stopped", "ainda aceita conexões depois de parado"),
    "refuses:left-hanging": (
        "ends without its clients learning of it",
        "encerra sem que os clientes fiquem sabendo",
    ),
    "survives:died": ("ends by itself", "encerra sozinho"),
    "serves:no-connection": ("takes no more connections after a fault", "não aceita mais conexões depois da falha"),
    "serves:no-login-newcomers": (
        "lets no fresh client log in after a fault, while others are there",
        "não deixa clientes novos entrarem depois da falha, com outros presentes",
    ),
    "serves:no-login-empty": (
        "lets no fresh client log in after a fault, even when all have left",
        "não deixa clientes novos entrarem depois da falha, mesmo com a sala vazia",
    ),
    "serves:no-exchange-newcomers": (
        "stops relaying to fresh clients while others are there",
        "para de retransmitir para clientes novos, com outros presentes",
    ),
    "serves:no-exchange-empty": (
        "stops relaying for good: fresh clients do not hear each other even when all have left",
        "para de retransmitir de vez: clientes novos não se ouvem nem com a sala vazia",
    ),
    "responsive:late": ("makes bystanders wait during a fault", "faz os demais esperarem durante a falha"),
    "responsive:stalled": (
        "stands still during a fault: bystanders are blocked",
        "para durante a falha: todos ficam bloqueados",
    ),
    "restarts:not-again": ("does not start again on its own port", "não volta a escutar na própria porta"),
    "stops:stuck": ("does not end when told to", "não encerra quando recebe o sinal"),
    "welcomes:silent-introduction": (
        "says nothing to some clients that connect or return",
        "não diz nada a alguns clientes que conectam ou retornam",
    ),
    "welcomes:partial-introduction": (
        "leaves out a part of the introduction for some clients",
        "omite parte da apresentação para alguns clientes",
    ),
    "admits:overheard": (
        "shows the conversation to one who has not joined",
        "mostra a conversa a quem ainda não entrou",
    ),
    "admits:announced": ("announces one who never joined", "anuncia quem nunca entrou"),
    "forgets:still-listed": ("goes on listing clients that are gone", "continua listando clientes que já saíram"),
    "forgets:name-taken": ("keeps the name of a client that is gone", "não libera o nome de quem já saiu"),
    "forgets:not-told": ("does not tell the others that somebody left", "não avisa os demais de que alguém saiu"),
    "identity:misattributed": ("shows messages under the wrong name", "mostra mensagens com o nome errado"),
    "identity:shared-name": ("lets two clients share a name", "deixa dois clientes com o mesmo nome"),
    "delivers:after-departure-nobody": (
        "stops relaying after a departure: nobody hears anybody",
        "para de retransmitir depois de uma saída: ninguém ouve ninguém",
    ),
    "delivers:after-departure-some": (
        "loses messages after a departure: some no longer hear the others",
        "perde mensagens depois de uma saída: alguns deixam de ouvir os demais",
    ),
    "delivers:during-fault-nobody": (
        "stops relaying during a fault: nobody hears anybody",
        "para de retransmitir durante a falha: ninguém ouve ninguém",
    ),
    "delivers:during-fault-some": (
        "loses messages of bystanders during a fault",
        "perde mensagens dos demais durante a falha",
    ),
    "delivers:newcomers-nobody": (
        "relays nothing any more once newcomers have come",
        "não retransmite mais nada depois que chegam clientes novos",
    ),
    "delivers:newcomers-some": (
        "loses messages once newcomers have come",
        "perde mensagens depois que chegam clientes novos",
    ),
    "delivers:bystander-dropped": (
        "ends the connection of clients that did nothing wrong",
        "derruba a conexão de quem não fez nada de errado",
    ),
    "once:twice": ("delivers messages twice", "entrega mensagens repetidas"),
    "ordered:overtaken": ("lets messages overtake one another", "deixa mensagens ultrapassarem umas às outras"),
    "intact:changed": ("changes the words of messages", "altera o texto das mensagens"),
    "intact:joined": ("joins several messages into one", "emenda várias mensagens em uma"),
    "intact:lost": ("loses what shares a segment, or needs two", "perde o que divide um segmento, ou precisa de dois"),
    "intact:cut": ("cuts one message into several", "corta uma mensagem em várias"),
    "private:leaked": ("shows directed messages to others", "mostra mensagens privadas a terceiros"),
    "genuine:unsaid": ("shows messages that nobody sent", "mostra mensagens que ninguém enviou"),
    "genuine:forged": ("lets one client write in another's name", "deixa um cliente escrever em nome de outro"),
    "genuine:ghost": ("goes on speaking for clients that are gone", "continua falando por clientes que já saíram"),
    "threads:grow-with-departures": (
        "keeps a thread for each client that left",
        "mantém uma thread para cada cliente que saiu",
    ),
    "sockets:grow-with-departures": (
        "keeps a file or socket for each client that left",
        "mantém um arquivo ou socket para cada cliente que saiu",
    ),
    "sockets:close-wait": (
        "never closes its side of a connection (CLOSE_WAIT)",
        "nunca fecha o seu lado da conexão (CLOSE_WAIT)",
    ),
    "memory:unbounded": ("keeps whatever it is sent in memory", "guarda na memória tudo o que recebe"),
    "memory:believes-a-length": (
        "makes room for as much as a message's length claims",
        "reserva tanta memória quanto o tamanho de uma mensagem anuncia",
    ),
    "idles:busy": ("spins in a busy loop with nobody connected", "fica em laço ocupado sem ninguém conectado"),
    "idles:busy-together": (
        "spins in a busy loop while those who are connected say nothing",
        "fica em laço ocupado enquanto quem está conectado nada diz",
    ),
    "expires:kept": (
        "keeps a silent connection beyond the declared idle time",
        "mantém uma conexão calada além do tempo ocioso declarado",
    ),
    "resumes:resume-identity": (
        "does not give a returning client its name back",
        "não devolve o nome a quem retoma a sessão",
    ),
    "resumes:resume-missed": (
        "does not give a returning client the messages that it missed",
        "não entrega a quem retoma a sessão as mensagens perdidas",
    ),
    "closes:reset": ("answers a polite leave with a reset", "responde a uma despedida com um reset"),
    "closes:never": ("does not close the connection on a polite leave", "não fecha a conexão quando alguém se despede"),
}
