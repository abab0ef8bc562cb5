'use strict';
/* Defect `survives`: nobody listens to a socket's 'error'. Node throws what nobody hears: one reset ends the process. */
const { Chat, Client } = require('./chat.js');

class NoErrorHandler extends Chat {
  admit(socket) {
    const client = new Client(socket);
    socket.on('data', (data) => this.take(client, data));
    socket.on('end', () => this.leave(client));
    socket.on('close', () => this.leave(client));
    this.enter(client);
  }
}

new NoErrorHandler().run(Number(process.argv[2]));
