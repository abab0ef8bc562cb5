'use strict';
/* A correct chat on Node's event loop.
 *
 * A newcomer is `guest7` at once and learns the commands: /nick NAME, /list, /msg NAME TEXT, /quit. Lines are relayed as
 * `<ana> text`. The defects are subclasses in files of their own.
 *
 *     node chat.js PORT
 */
const net = require('node:net');

const LONGEST_LINE = 64 * 1024; // bytes; a longer line ends the connection
const OUTBOX_LIMIT = 4 * 1024 * 1024; // bytes that may wait for one that does not read
const BACKLOG = 1024;
const FAREWELL_MS = 1000; // for one that leaves, to close its side
const COMMANDS = '/nick NAME, /list, /msg NAME TEXT, /quit';

// C0 and C1 controls and Unicode's line breaks: they let a text pose as another line.
const UNSHOWABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;
const NAME = /^[\p{L}\p{N}_-]{1,20}$/u;

const clean = (bytes) => bytes.toString('utf8').replace(UNSHOWABLE, ' ').trim(); // bad UTF-8 becomes U+FFFD
const keyOf = (name) => name.toLowerCase();

class Client {
  constructor(socket) {
    this.socket = socket;
    this.name = '';
    this.named = false;
    this.leaving = false;
    this.pieces = []; // of a line that is not complete
    this.pending = 0; // their bytes
  }

  /** Writes a line; never waits. Who lets too much wait is dropped. */
  send(line) {
    if (this.leaving || this.socket.destroyed) return;
    this.socket.write(line + '\n');
    if (this.socket.writableLength > OUTBOX_LIMIT) this.socket.resetAndDestroy();
  }
}

class Chat {
  constructor() {
    this.members = new Map(); // by the name in lower case
    this.guests = 0;
  }

  run(port) {
    const server = net.createServer(this.options(), (socket) => this.admit(socket));
    server.on('error', (error) => {
      if (server.listening) return; // out of descriptors: libuv turned one away and goes on
      console.error(`cannot listen: ${error.message}`);
      process.exit(1);
    });
    server.listen({ port, host: '127.0.0.1', backlog: BACKLOG });
  }

  options() {
    return { noDelay: true };
  }

  // --- coming and going

  admit(socket) {
    const client = new Client(socket);
    socket.on('data', (data) => this.take(client, data));
    socket.on('error', () => {}); // 'close' follows
    socket.on('end', () => this.leave(client)); // and Node answers the FIN with ours
    socket.on('close', () => this.leave(client));
    this.enter(client);
  }

  enter(client) {
    do client.name = `guest${++this.guests}`; while (this.members.has(client.name));
    this.members.set(client.name, client);
    client.send(`Welcome, ${client.name}. Commands: ${COMMANDS}`);
  }

  /** Forgets the client; tells the others if it had given itself a name. */
  leave(client) {
    if (this.members.get(keyOf(client.name)) !== client) return;
    this.members.delete(keyOf(client.name));
    if (client.named) this.tell(`* ${client.name} left`);
  }

  /** Last words, FIN; what the client still says is read and thrown away, so that no reset ends it. */
  part(client, words) {
    client.send(words);
    this.leave(client);
    client.leaving = true;
    client.socket.end();
    const timer = setTimeout(() => client.socket.destroy(), FAREWELL_MS);
    client.socket.on('close', () => clearTimeout(timer));
  }

  // --- talking

  /** The end of one that sends a line without end: it is not even read any more. */
  tooLong(client) {
    client.socket.pause();
    this.part(client, 'That line is too long.');
  }

  /** Cuts what TCP brought into lines. */
  take(client, data) {
    let start = 0;
    for (let end = data.indexOf(10); end >= 0 && !client.leaving; end = data.indexOf(10, start)) {
      client.pieces.push(data.subarray(start, end));
      const line = Buffer.concat(client.pieces);
      client.pieces = [];
      client.pending = 0;
      start = end + 1;
      if (line.length > LONGEST_LINE) this.tooLong(client);
      else this.hear(client, clean(line));
    }
    if (client.leaving || start === data.length) return;
    client.pieces.push(Buffer.from(data.subarray(start)));
    client.pending += data.length - start;
    if (client.pending > LONGEST_LINE) this.tooLong(client);
  }

  hear(client, line) {
    if (!line.startsWith('/')) {
      if (line) this.tell(`<${client.name}> ${line}`, client);
      return;
    }
    const [command, ...words] = line.split(/ +/);
    if (command === '/nick') this.rename(client, words.join(' '));
    else if (command === '/list') client.send('Here: ' + [...this.members.values()].map((m) => m.name).join(', '));
    else if (command === '/msg' && words.length > 1) this.whisper(client, words[0], words.slice(1).join(' '));
    else if (command === '/quit') this.part(client, 'Bye.');
    else client.send(`Commands: ${COMMANDS}`);
  }

  rename(client, name) {
    const holder = this.members.get(keyOf(name));
    if (!NAME.test(name)) return client.send('A name has letters and digits, at most 20.');
    if (holder && holder !== client) return client.send(`The name ${name} is taken.`);
    if (client.name === name) return client.send(`You are ${name} already.`);
    const old = client.name;
    this.members.delete(keyOf(old));
    this.members.set(keyOf(name), client);
    client.name = name;
    client.named = true;
    client.send(`You are ${name} now.`);
    this.tell(`* ${old} is now ${name}`, client);
  }

  whisper(client, to, text) {
    const target = this.members.get(keyOf(to));
    if (target) target.send(`<${client.name}> (to you alone) ${text}`);
    else client.send(`Nobody here is called ${to}.`);
  }

  tell(line, besides) {
    for (const member of this.members.values()) {
      if (member !== besides) member.send(line);
    }
  }
}

module.exports = { Chat, Client, clean };

if (require.main === module) new Chat().run(Number(process.argv[2]));
