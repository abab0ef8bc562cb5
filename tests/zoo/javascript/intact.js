'use strict';
/* Defect `intact`: what one 'data' event brings is taken for one message. TCP cuts and joins as it likes. */
const { Chat, clean } = require('./chat.js');

class EventIsMessage extends Chat {
  take(client, data) {
    if (!client.leaving) this.hear(client, clean(data));
  }
}

new EventIsMessage().run(Number(process.argv[2]));
