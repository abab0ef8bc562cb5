// Correct. JSON lines. {"type": "join", "name": …}, then {"type": "chat", "message": …}; {"type": "leave"} ends it.
'use strict';
const net = require('net');

const LONGEST = 65536;
const WAITING = 4 << 20;
const people = new Map();

const chat = {
  parse(line) {
    try {
      return JSON.parse(line);
    } catch {
      return undefined;
    }
  },
};

function put(socket, value) {
  socket.write(JSON.stringify(value) + '\n');
  if (socket.writableLength > WAITING) socket.destroy();
}

function everybody(value, but) {
  for (const other of people.keys()) if (other !== but) put(other, value);
}

function clean(text) {
  return typeof text === 'string' ? text.replace(/[\p{Cc}\p{Cs}\u2028\u2029]/gu, ' ').trim() : '';
}

function message(socket, value) {
  if (typeof value !== 'object' || value === null) return put(socket, { type: 'error' });
  const name = people.get(socket);
  if (name === undefined) {
    const wanted = clean(value.name);
    if (value.type !== 'join' || !/^[A-Za-z0-9]{1,20}$/.test(wanted)) return put(socket, { type: 'error' });
    people.set(socket, wanted);
    put(socket, { type: 'joined', name: wanted });
    return everybody({ type: 'arrived', name: wanted }, socket);
  }
  if (value.type === 'leave') return socket.end();
  const text = value.type === 'chat' ? clean(value.message) : '';
  if (text) everybody({ type: 'chat', name, message: text }, socket);
}

net.createServer((socket) => {
  let came = [];
  let size = 0;
  socket.on('data', (data) => {
    let start = 0;
    for (let end = data.indexOf(10); end >= 0 && !socket.destroyed; end = data.indexOf(10, start)) {
      const line = Buffer.concat([...came, data.subarray(start, end)]).toString('utf8');
      came = [];
      size = 0;
      start = end + 1;
      if (line.trim()) message(socket, chat.parse(line));
    }
    came.push(data.subarray(start));
    size += data.length - start;
    if (size > LONGEST) socket.destroy();
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    const name = people.get(socket);
    people.delete(socket);
    if (name) everybody({ type: 'left', name });
  });
}).listen(Number(process.argv[2]), '127.0.0.1');

module.exports = chat;
