"""What servers in six languages print when a client's fault reaches them, as it was seen."""

from __future__ import annotations

PYTHON_RESET = """listening on 127.0.0.1:4000
Exception in thread Thread-4 (listen):
Traceback (most recent call last):
  File "/usr/lib/python3.11/threading.py", line 1045, in _bootstrap_inner
    self.run()
  File "/usr/lib/python3.11/threading.py", line 982, in run
    self._target(*self._args, **self._kwargs)
  File "/home/ana/chat.py", line 40, in listen
    data = client.recv(1024)
           ^^^^^^^^^^^^^^^^^
ConnectionResetError: [Errno 104] Connection reset by peer
"""
PYTHON_BROKEN_PIPE = """Traceback (most recent call last):
  File "chat.py", line 51, in handle
    broadcast(text, sock)
  File "chat.py", line 22, in broadcast
    other.sendall(text)
BrokenPipeError: [Errno 32] Broken pipe
"""
PYTHON_SET = """Traceback (most recent call last):
  File "chat.py", line 20, in broadcast
    for client in clients:
RuntimeError: Set changed size during iteration
"""
PYTHON_DECODE = """Traceback (most recent call last):
  File "chat.py", line 33, in handle
    text = data.decode("utf-8")
  File "<frozen codecs>", line 322, in decode
UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte
"""
PYTHON_CHAIN = """Traceback (most recent call last):
  File "chat.py", line 33, in handle
    data = sock.recv(100)
ConnectionResetError: [Errno 104] Connection reset by peer

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "chat.py", line 36, in handle
    clients.remove(sock)
ValueError: list.remove(x): x not in list
"""
PYTHON_EMFILE = """Traceback (most recent call last):
  File "chat.py", line 60, in main
    sock, _ = server.accept()
OSError: [Errno 24] Too many open files
"""
PYTHON_WORDS = """Traceback (most recent call last):
  File "chat.py", line 12, in obey
    name = words[1]
IndexError: list index out of range
"""
PYTHON_INTERRUPTED = """Traceback (most recent call last):
  File "chat.py", line 60, in main
    sock, _ = server.accept()
KeyboardInterrupt
"""
ASYNCIO = """Task exception was never retrieved
future: <Task finished name='Task-5' coro=<handle() done, defined at chat.py:9> exception=ConnectionResetError(104, 'Connection reset by peer')>
Traceback (most recent call last):
  File "/srv/chat.py", line 14, in handle
    line = await reader.readline()
  File "/usr/lib/python3.11/asyncio/streams.py", line 545, in readline
    line = await self.readuntil(sep)
ConnectionResetError: [Errno 104] Connection reset by peer
"""
JAVA_RESET = """Exception in thread "Thread-3" java.lang.RuntimeException: java.net.SocketException: Connection reset
	at Chat$Client.run(Chat.java:48)
	at java.base/java.lang.Thread.run(Thread.java:840)
Caused by: java.net.SocketException: Connection reset
	at java.base/sun.nio.ch.NioSocketImpl.implRead(NioSocketImpl.java:318)
	at java.base/java.net.Socket$SocketInputStream.read(Socket.java:1025)
	at java.base/java.io.BufferedReader.readLine(BufferedReader.java:396)
	at Chat$Client.run(Chat.java:41)
	... 1 more
"""
JAVA_CONCURRENT = """java.util.ConcurrentModificationException
	at java.base/java.util.ArrayList$Itr.checkForComodification(ArrayList.java:1013)
	at java.base/java.util.ArrayList$Itr.next(ArrayList.java:967)
	at Chat.broadcast(Chat.java:22)
"""
NODE_RESET = """node:events:497
      throw er; // Unhandled 'error' event
      ^

Error: read ECONNRESET
    at TCP.onStreamRead (node:internal/stream_base_commons:217:20)
Emitted 'error' event on Socket instance at:
    at emitErrorNT (node:internal/streams/destroy:170:8)
    at process.processTicksAndRejections (node:internal/process/task_queues:82:21) {
  errno: -104,
  code: 'ECONNRESET',
  syscall: 'read'
}
"""
NODE_UNDEFINED = """/home/ana/chat.js:12
    client.name.write(text);
                ^

TypeError: Cannot read properties of undefined (reading 'write')
    at Socket.<anonymous> (/home/ana/chat.js:12:17)
    at Socket.emit (node:events:519:28)
"""
GO_INDEX = """panic: runtime error: index out of range [1] with length 1

goroutine 20 [running]:
main.obey(0xc000010000, {0xc000012345, 0x5})
	/home/ana/main.go:42 +0x1d
created by main.main in goroutine 1
	/home/ana/main.go:80 +0x99
"""
GO_MAP = """fatal error: concurrent map iteration and map write

goroutine 34 [running]:
internal/runtime/maps.fatal({0x4d1e8f?, 0x0?})
	/usr/local/go/src/runtime/panic.go:1058 +0x18
main.broadcast({0xc0000140a8, 0x5})
	/home/ana/main.go:23 +0x85
"""
RUST_UTF8 = """
thread '<unnamed>' (1234) panicked at src/main.rs:31:42:
called `Result::unwrap()` on an `Err` value: Error { kind: InvalidData, message: "stream did not contain valid UTF-8" }
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
"""
ASAN = """=================================================================
==812==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000010 at pc 0x0000004f9c1f
READ of size 4 at 0x602000000010 thread T2
    #0 0x4f9c1e in broadcast /home/ana/chat.c:57:9
    #1 0x4fa2b1 in handle /home/ana/chat.c:88:5
"""
TERMINATE = """terminate called after throwing an instance of 'std::out_of_range'
  what():  basic_string::substr: __pos (which is 6) > this->size() (which is 5)
"""
PYTHON_GROUP = """  + Exception Group Traceback (most recent call last):
  |   File "chat.py", line 20, in main
  |     async with asyncio.TaskGroup() as group:
  | ExceptionGroup: unhandled errors in a TaskGroup (2 sub-exceptions)
  +-+---------------- 1 ----------------
    | Traceback (most recent call last):
    |   File "chat.py", line 14, in handle
    |     data = await reader.read(100)
    | ConnectionResetError: [Errno 104] Connection reset by peer
    +---------------- 2 ----------------
    | Traceback (most recent call last):
    |   File "chat.py", line 15, in handle
    |     await writer.drain()
    | BrokenPipeError: [Errno 32] Broken pipe
    +------------------------------------
"""
