// Correct. Nothing works before JOIN; each data event is a message. Run: node commands.js 5000
const net = require('net');

const members = new Map(); // name -> socket

function clean(data) {
  return data.toString('utf8').replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, ' ').trim();
}

function send(socket, text) {
  if (socket.writableLength > 1 << 20) socket.destroy(); // it does not read
  else if (!socket.destroyed) socket.write(text);
}

function broadcast(text, but) {
  for (const socket of members.values()) if (socket !== but) send(socket, text);
}

const server = net.createServer((socket) => {
  let name = null;
  socket.on('data', (data) => {
    const text = clean(data);
    const [word, rest] = text.split(' ', 2);
    if (name === null) {
      if (word !== 'JOIN') send(socket, 'ERROR please JOIN <name> first');
      else if (!/^[A-Za-z0-9]{1,20}$/.test(rest || '')) send(socket, 'ERROR letters and digits only: JOIN <name>');
      else if (members.has(rest)) send(socket, `ERROR ${rest} is here already: JOIN <name>`);
      else {
        name = rest;
        members.set(name, socket);
        send(socket, `WELCOME ${name}`);
        broadcast(`INFO ${name} joined`, socket);
      }
    } else if (text === '/nick' || text.startsWith('/nick ')) {
      if (!/^[A-Za-z0-9]{1,20}$/.test(rest || '') || members.has(rest)) send(socket, 'ERROR that name cannot be had');
      else {
        members.delete(name);
        members.set(rest, socket);
        broadcast(`INFO ${name} is now ${rest}`);
        name = rest;
      }
    } else if (text === 'LEAVE') socket.end('BYE');
    else if (text) broadcast(`${name}> ${text}`, socket);
  });
  socket.on('error', () => {}); // 'close' follows
  socket.on('close', () => {
    if (name === null) return;
    members.delete(name);
    broadcast(`INFO ${name} left`);
  });
});

server.on('error', (error) => { console.error(error.message); process.exit(1); });
server.listen(Number(process.argv[2] || 5000), '127.0.0.1', () => console.log('listening'));
