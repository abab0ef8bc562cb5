// Defect (forgets): only a polite end frees a name; whoever was reset has it taken for ever. Run: node keeps_names.js 5000
const net = require('net');
const names = new Set();
const sockets = new Map();

function broadcast(text, sender) {
  for (const other of [...sockets.keys()]) {
    if (other === sender) continue;
    if (other.writableLength > 1000000) other.destroy();
    else if (other.writable) other.write(text);
  }
}

net.createServer((socket) => {
  socket.write('NICK');
  socket.on('data', (data) => {
    const text = data.toString().replace(/[\p{Cc}\u2028\u2029]/gu, ' ').trim();
    if (sockets.has(socket)) return broadcast(`${sockets.get(socket)}: ${text}`, socket);
    if (!/^[A-Za-z0-9]{1,20}$/.test(text)) return socket.write('BAD NICK');
    if (names.has(text)) return socket.end('NICK TAKEN');
    names.add(text);
    sockets.set(socket, text);
    socket.write('WELCOME');
    broadcast(`${text} has entered`, socket);
  });
  socket.on('end', () => {
    names.delete(sockets.get(socket));
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    const name = sockets.get(socket);
    sockets.delete(socket);
    if (name) broadcast(`${name} has gone`, socket);
  });
}).listen(process.argv[2], '127.0.0.1');
