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

#: fingerprint → what a server does that fails in this way.
SHAPES: dict[str, tuple[str, str]] = {
    "delivers:silent-room": (
        "stops relaying: the others no longer hear one another",
        "para de retransmitir: os demais deixam de se ouvir",
    ),
    "delivers:lost": ("loses messages", "perde mensagens"),
    "delivers:late": ("delivers messages too late", "entrega mensagens tarde demais"),
    "welcomes:silent-return": ("leaves a returning client without a word", "deixa sem resposta quem reconecta"),
    "welcomes:other-shape": ("greets a returning client differently", "recebe de outra forma quem reconecta"),
    "welcomes:different": ("greets a returning client differently", "recebe de outra forma quem reconecta"),
    "accepts:silent": ("leaves newcomers without a word", "deixa sem resposta quem chega"),
    "survives:exited": ("exits", "encerra sozinho"),
    "survives:crashed": ("crashes", "cai"),
    "serves:silent-room": ("does not relay between fresh clients", "não retransmite entre clientes novos"),
    "forgets:ghost": ("goes on listing clients that are gone", "continua listando clientes que já saíram"),
    "forgets:listed": ("goes on listing clients that are gone", "continua listando clientes que já saíram"),
    "forgets:name-taken": ("does not free the name of a client that is gone", "não libera o nome de quem já saiu"),
    "genuine:forged": ("lets one client write in another's name", "deixa um cliente escrever em nome de outro"),
    "threads:leak": ("keeps a thread for each client that left", "mantém uma thread para cada cliente que saiu"),
    "sockets:leak": ("keeps a socket for each client that left", "mantém um socket para cada cliente que saiu"),
    "sockets:close-wait": ("never closes its side (CLOSE_WAIT)", "nunca fecha o seu lado da conexão (CLOSE_WAIT)"),
    "memory:leak": ("uses more memory with each client that left", "usa mais memória a cada cliente que sai"),
    "idles:busy-loop": ("spins in a busy loop", "fica girando em espera ocupada"),
}
