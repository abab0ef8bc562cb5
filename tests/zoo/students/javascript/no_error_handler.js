// Defect (survives): no error handler on the sockets: one reset ends the process. Run: node no_error_handler.js 5000
const net = require('net');
const clients = [];

net.createServer((socket) => {
  socket.write('Welcome! What is your name? ');
  let name = '';
  socket.on('data', (data) => {
    const text = data.toString().replace(/[\x00-\x1f\x7f-\x9f]+/g, ' ').trim();
    if (!name) {
      if (!/^\w+$/.test(text)) return socket.write('What is your name? ');
      name = text;
      clients.push(socket);
      socket.write(`Hello ${name}`);
      return broadcast(`${name} joined`, socket);
    }
    broadcast(`${name}: ${text}`, socket);
  });
  socket.on('end', () => {
    if (clients.includes(socket)) clients.splice(clients.indexOf(socket), 1);
    if (name) broadcast(`${name} left`, socket);
  });
}).listen(process.argv[2], '127.0.0.1');

function broadcast(message, sender) {
  for (const client of clients.slice()) {
    if (client === sender) continue;
    if (client.writableLength > 1000000) client.destroy();
    else client.write(message);
  }
}
