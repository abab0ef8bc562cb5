// Correct. An auto name, and a command to change it; the stream of words is broken only by a newline at the end of each
// message that goes out. Run: node json.js 5000
const net = require('net');

let next = 1;
const people = new Map();

const printable = (buffer) => buffer.toString().replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, ' ').trim();

function say(socket, words) {
  if (!socket.writable) return;
  if (socket.writableLength > 256 * 1024) socket.destroy();
  else socket.write(words + '\n');
}

function all(words, except) {
  for (const socket of [...people.keys()]) if (socket !== except) say(socket, words);
}

net.createServer((socket) => {
  people.set(socket, `guest${next++}`);
  say(socket, `Welcome, you are ${people.get(socket)}. Use /nick NAME to change it.`);
  socket.on('data', (data) => {
    const text = printable(data);
    const nick = /^\/nick (\w{1,20})$/.exec(text);
    if (nick) {
      if ([...people.values()].includes(nick[1])) return say(socket, 'This name is in use.');
      all(`${people.get(socket)} is now ${nick[1]}`, socket);
      people.set(socket, nick[1]);
      say(socket, `You are now ${nick[1]}`);
    } else if (text) {
      all(`${people.get(socket)}: ${text}`, socket);
    }
  });
  socket.on('error', () => {});
  socket.on('close', () => people.delete(socket));
}).listen(process.argv[2], '127.0.0.1');
