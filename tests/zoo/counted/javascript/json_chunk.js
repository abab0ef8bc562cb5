// Correct. Each data event is one JSON object, with nothing behind it; what is none is answered. Run: node json_chunk.js 5000
const net = require('net');

const users = new Map(); // name -> socket

function send(socket, value) {
  if (socket.writableLength > 1 << 20) socket.destroy(); // it does not read
  else if (!socket.destroyed) socket.write(JSON.stringify(value));
}

function broadcast(value, but) {
  for (const socket of users.values()) if (socket !== but) send(socket, value);
}

function parse(data) {
  try {
    const value = JSON.parse(data.toString('utf8'));
    return value !== null && typeof value === 'object' ? value : {};
  } catch (error) {
    return {};
  }
}

function clean(text) {
  return typeof text === 'string' ? text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, ' ').trim() : '';
}

const server = net.createServer((socket) => {
  let name = null;
  socket.on('data', (data) => {
    const { type, username, message } = parse(data);
    if (name === null) {
      if (type !== 'login' || !/^[A-Za-z0-9]{1,20}$/.test(username)) send(socket, { type: 'error', message: 'please log in' });
      else if (users.has(username)) send(socket, { type: 'error', message: 'taken' });
      else {
        name = username;
        users.set(name, socket);
        send(socket, { type: 'welcome', username: name });
        broadcast({ type: 'info', message: `${name} joined` }, socket);
      }
    } else if (type === 'message' && clean(message)) {
      broadcast({ type: 'message', username: name, message: clean(message) }, socket);
    } else if (type === 'logout') socket.end();
    else send(socket, { type: 'error', message: 'what?' });
  });
  socket.on('error', () => {}); // 'close' follows
  socket.on('close', () => {
    if (name === null) return;
    users.delete(name);
    broadcast({ type: 'info', message: `${name} left` });
  });
});

server.on('error', (error) => { console.error(error.message); process.exit(1); });
server.listen(Number(process.argv[2] || 5000), '127.0.0.1', () => console.log('listening'));
