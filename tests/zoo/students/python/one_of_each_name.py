"""Trabalho 2. O nome é a chave do dicionário: defeito (delivers), dois com o mesmo nome são a mesma pessoa."""

import socket
import struct
import sys
import threading
import time

clientes = {}  # nome -> conexão
trava = threading.Lock()


def todos(texto, menos=""):
    with trava:
        destinos = [c for nome, c in clientes.items() if nome != menos]
    for conexao in destinos:
        try:
            conexao.sendall(texto.encode())
        except OSError:
            pass


def atende(conexao):
    nome = ""
    try:
        conexao.sendall(b"Qual e o seu nome? ")
        nome = conexao.recv(1024).decode("utf-8", "replace").strip()
        if not nome.isalnum():
            return
        with trava:
            clientes[nome] = conexao
        conexao.sendall(f"Oi, {nome}! Pode falar.".encode())
        todos(f"{nome} chegou", nome)
        while dados := conexao.recv(1024):
            todos(f"{nome}: {dados.decode('utf-8', 'replace')}", nome)
    except OSError:
        pass
    finally:
        with trava:
            clientes.pop(nome, None)
        conexao.close()
        if nome:
            todos(f"{nome} foi embora")


servidor = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
while True:
    try:
        conexao, _ = servidor.accept()
    except OSError:
        time.sleep(0.1)
        continue
    conexao.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 0, 300_000))
    threading.Thread(target=atende, args=(conexao,), daemon=True).start()
