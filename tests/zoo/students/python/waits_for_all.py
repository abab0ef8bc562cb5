"""Defect (stops): SIGTERM says good night, and then waits for the threads of all clients, which read for ever."""

import signal
import socket
import sys
import threading
import time

clients = []
threads = []
lock = threading.Lock()


def broadcast(data, sender):
    with lock:
        others = [c for c in clients if c is not sender]
    for client in others:
        try:
            client.send(data, socket.MSG_DONTWAIT)
        except OSError:
            pass


def handle(client):
    try:
        while data := client.recv(1024):
            broadcast(data, client)
    except OSError:
        pass
    with lock:
        clients.remove(client)
        threads.remove(threading.current_thread())
    client.close()


def shutdown(*_):
    print("shutting down, waiting for clients", flush=True)
    server.close()
    for thread in threads[:]:
        thread.join()
    sys.exit(0)


signal.signal(signal.SIGTERM, shutdown)
signal.signal(signal.SIGINT, shutdown)
server = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
while True:
    try:
        client, _ = server.accept()
    except OSError:  # out of descriptors
        time.sleep(0.1)
        continue
    with lock:
        clients.append(client)
        threads.append(threading.Thread(target=handle, args=(client,)))
        threads[-1].start()
