// Correct. What one sends all the others get; each data event is a message. Run: node relay.js 5000
const net = require('net');

const sockets = new Set();

const server = net.createServer((socket) => {
  sockets.add(socket);
  socket.on('data', (data) => {
    for (const other of sockets) {
      if (other === socket) continue;
      if (other.writableLength > 1 << 20) other.destroy(); // it does not read
      else other.write(data);
    }
  });
  socket.on('error', () => {}); // 'close' follows
  socket.on('close', () => sockets.delete(socket));
});

server.on('error', (error) => { console.error(error.message); process.exit(1); });
server.listen(Number(process.argv[2] || 5000), '127.0.0.1', () => console.log('listening'));
