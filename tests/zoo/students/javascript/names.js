// Correct. Asks for a name, tells who comes and goes, knows /who and /exit. Run: node names.js 5000
const net = require('net');

const clients = [];

function clean(data) {
  return data.toString('utf8').replace(/[\p{Cc}\u2028\u2029]/gu, ' ').trim();
}

function send(client, text) {
  if (client.socket.destroyed || client.socket.writableEnded) return;
  if (client.socket.writableLength > 500000) client.socket.destroy();
  else client.socket.write(text);
}

function broadcast(text, sender) {
  clients.filter((c) => c.name && c !== sender).forEach((c) => send(c, text));
}

function login(client, name) {
  if (!/^[A-Za-z0-9]{1,16}$/.test(name)) return send(client, 'Invalid name, try again: ');
  if (clients.some((c) => c.name === name)) return send(client, 'Name taken, try again: ');
  client.name = name;
  send(client, `Hi ${name}, there are ${clients.length} people here.`);
  broadcast(`${name} has joined the chat`, client);
}

const server = net.createServer((socket) => {
  const client = { socket, name: null };
  clients.push(client);
  send(client, 'Please enter your name: ');
  socket.on('data', (data) => {
    const text = clean(data);
    if (!client.name) return login(client, text);
    if (text === '/exit') return socket.end('Goodbye!');
    if (text === '/who') return send(client, 'Here: ' + clients.filter((c) => c.name).map((c) => c.name).join(', '));
    if (text) broadcast(`<${client.name}> ${text}`, client);
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    clients.splice(clients.indexOf(client), 1);
    if (client.name) broadcast(`${client.name} has left the chat`, client);
  });
});

server.listen(process.argv[2] || 8000, '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
