// Defect (memory): what of a line has come is kept until the rest comes, however much. Run: node whole_lines.js 5000
const net = require('net');
const sockets = new Set();

net.createServer((socket) => {
  let parts = [];
  sockets.add(socket);
  socket.on('data', (data) => {
    const lines = data.toString('latin1').split('\n');
    parts.push(lines.shift());
    for (const rest of lines) {
      const line = parts.join('');
      parts = [rest];
      for (const other of sockets) {
        if (other === socket || !line.trim()) continue;
        if (other.writableLength > 1000000) other.destroy();
        else other.write(line + '\n', 'latin1');
      }
    }
  });
  socket.on('error', () => {});
  socket.on('close', () => sockets.delete(socket));
}).listen(process.argv[2], '127.0.0.1');
