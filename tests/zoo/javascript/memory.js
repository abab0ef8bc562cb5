'use strict';
/* Defect `memory`: nobody looks how much waits in a socket that is not read. Node keeps it all. */
const { Chat, Client } = require('./chat.js');

Client.prototype.send = function send(line) {
  if (!this.leaving && !this.socket.destroyed) this.socket.write(line + '\n');
};

new Chat().run(Number(process.argv[2]));
