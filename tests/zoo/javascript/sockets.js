'use strict';
/* Defect `sockets`: half-open connections are allowed, and nobody closes the other half: CLOSE_WAIT for ever. */
const { Chat } = require('./chat.js');

class HalfOpen extends Chat {
  options() {
    return { ...super.options(), allowHalfOpen: true };
  }
}

new HalfOpen().run(Number(process.argv[2]));
