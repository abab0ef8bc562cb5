// Correct. A frame is a length of 4 bytes, little-endian, then so many bytes; the first one is the name.
'use strict';
const net = require('net');

const LONGEST = 65536;
const WAITING = 4 << 20;
const people = new Map();

function put(socket, text) {
  const body = Buffer.from(text);
  const head = Buffer.alloc(4);
  head.writeUInt32LE(body.length);
  socket.write(Buffer.concat([head, body]));
  if (socket.writableLength > WAITING) socket.destroy();
}

function everybody(text, but) {
  for (const other of people.keys()) if (other !== but) put(other, text);
}

function message(socket, body) {
  const text = body.toString('utf8').replace(/[\p{Cc}\u2028\u2029]/gu, ' ').trim();
  const name = people.get(socket);
  if (name === undefined) {
    if (!/^[A-Za-z0-9]{1,20}$/.test(text)) return socket.destroy();
    people.set(socket, text);
    put(socket, `you are in, ${text}`);
    return everybody(`${text} is here`, socket);
  }
  if (text === '/exit') return socket.end();
  if (text) everybody(`<${name}> ${text}`, socket);
}

// One who reads frames: the head first, then the body, each into a buffer of its own.
class Frames {
  constructor(longest) {
    this.longest = longest;
    this.head = Buffer.alloc(4);
    this.body = null;
    this.got = 0;
  }

  room(size) {
    return Buffer.alloc(Math.min(size, this.longest));
  }

  feed(socket, data) {
    while (data.length && !socket.destroyed) {
      const into = this.body || this.head;
      const part = data.copy(into, this.got);
      this.got += part;
      data = data.subarray(part);
      if (this.got < into.length) return;
      this.got = 0;
      if (this.body) {
        message(socket, this.body);
        this.body = null;
      } else {
        const size = this.head.readUInt32LE();
        if (size > this.longest) return socket.destroy();
        if (size) this.body = this.room(size);
      }
    }
  }
}

exports.serve = (longest = LONGEST) =>
  net.createServer((socket) => {
    const frames = new Frames(longest);
    socket.on('data', (data) => frames.feed(socket, data));
    socket.on('error', () => {});
    socket.on('close', () => {
      const name = people.get(socket);
      people.delete(socket);
      if (name) everybody(`${name} is gone`);
    });
  }).listen(Number(process.argv[2]), '127.0.0.1');

exports.Frames = Frames;
if (require.main === module) exports.serve();
