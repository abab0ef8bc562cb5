// Defect (expires): Node's setTimeout only tells; the silent socket is warned and never closed. Run: node only_warns.js 5000
const net = require('net');
const sockets = new Set();

net.createServer((socket) => {
  sockets.add(socket);
  socket.setTimeout(2000);
  socket.once('timeout', () => socket.write('You have been silent for two seconds, good bye'));
  socket.on('data', (data) => {
    for (const other of sockets) {
      if (other === socket) continue;
      if (other.writableLength > 1000000) other.destroy();
      else other.write(data);
    }
  });
  socket.on('error', () => {});
  socket.on('close', () => sockets.delete(socket));
}).listen(process.argv[2], '127.0.0.1');
