"""Correct. Everybody is called by address and port, and cannot change that. Run: python address.py 5000."""

import socketserver
import struct
import socket
import sys
import threading
import time

people = {}
lock = threading.Lock()


class Chat(socketserver.BaseRequestHandler):
    def handle(self):
        me = "{}:{}".format(*self.client_address)
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 0, 300_000))
        with lock:
            people[me] = self.request
        try:
            self.request.sendall(f"Welcome to the chat! You are {me}".encode())
            while True:
                data = self.request.recv(4096)
                if not data or data.strip() == b"exit":
                    break
                text = "".join(c if c.isprintable() else " " for c in data.decode(errors="replace"))
                self.relay(me, f"{me} says: {text}".encode())
        except OSError:
            pass
        finally:
            with lock:
                people.pop(me, None)

    def relay(self, me, data):
        with lock:
            others = [(name, sock) for name, sock in people.items() if name != me]
        for name, sock in others:
            try:
                sock.sendall(data)
            except OSError:
                with lock:
                    people.pop(name, None)
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def get_request(self):
        try:
            return super().get_request()
        except OSError:
            time.sleep(0.1)
            raise

    def handle_error(self, request, client_address):
        print("lost", client_address)


with Server(("127.0.0.1", int(sys.argv[1])), Chat) as server:
    server.serve_forever()
