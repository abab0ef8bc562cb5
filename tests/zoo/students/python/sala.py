"""Correto. Pede o nome sem pular linha; uma fila e uma thread de escrita por cliente. Uso: python sala.py 5000."""

import queue
import socket
import sys
import threading
import time

MAX_FILA = 500
clientes = {}  # nome em minúsculas -> Cliente
trava = threading.Lock()


def limpa(texto):
    return "".join(c if c.isprintable() else " " for c in texto)


class Cliente:
    def __init__(self, conexao):
        self.conexao = conexao
        self.nome = None
        self.fila = queue.Queue(MAX_FILA)

    def envia(self, texto):
        try:
            self.fila.put_nowait(texto.encode())
        except queue.Full:  # não está lendo
            self.derruba()

    def derruba(self):
        try:
            self.conexao.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def escreve(self):
        try:
            while (dados := self.fila.get()) is not None:
                self.conexao.sendall(dados)
        except OSError:
            pass

    def pede_nome(self):
        self.envia("Digite seu nome: ")
        while dados := self.conexao.recv(1024):
            nome = dados.decode("utf-8", "replace").strip()
            if not nome.isalnum() or len(nome) > 16:
                self.envia("Nome inválido. Digite seu nome: ")
                continue
            with trava:
                if nome.lower() not in clientes:
                    self.nome = nome
                    clientes[nome.lower()] = self
                    return True
            self.envia("Nome em uso. Digite seu nome: ")
        return False

    def conversa(self):
        escritor = threading.Thread(target=self.escreve, daemon=True)
        escritor.start()
        try:
            if self.pede_nome():
                self.envia(f"Bem-vindo, {self.nome}! Comandos: /lista, /sair")
                todos(f"* {self.nome} entrou na sala", self)
                self.le()
        except OSError:
            pass
        finally:
            if self.nome:
                with trava:
                    del clientes[self.nome.lower()]
                todos(f"* {self.nome} saiu da sala", self)
            try:
                self.fila.put_nowait(None)
            except queue.Full:
                pass
            escritor.join(0.5)
            self.derruba()
            escritor.join()
            self.conexao.close()

    def le(self):
        while dados := self.conexao.recv(2048):
            texto = limpa(dados.decode("utf-8", "replace")).strip()
            if texto == "/sair":
                return
            if texto == "/lista":
                with trava:
                    self.envia("Na sala: " + ", ".join(c.nome for c in clientes.values()))
            elif texto:
                todos(f"[{self.nome}]: {texto}", self)


def todos(texto, menos):
    with trava:
        destinos = [c for c in clientes.values() if c is not menos]
    for cliente in destinos:
        cliente.envia(texto)


def main():
    servidor = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
    print("Servidor iniciado, aguardando conexões...", flush=True)
    while True:
        try:
            conexao, _ = servidor.accept()
        except OSError:
            time.sleep(0.2)
            continue
        threading.Thread(target=Cliente(conexao).conversa, daemon=True).start()


if __name__ == "__main__":
    main()
