"""The chat server as it should have been: one asyncio loop, one consistent registry, a bound on everything.

Read it in this order; each module knows only those before it:

* `settings` - what the command line can change
* `journal`  - the log: one JSON object a line
* `wording`  - what may stand in a name or a message
* `lines`    - a byte stream cut into lines
* `pace`     - how fast one client may talk
* `outbox`   - what one client has yet to be sent, and what it has surely received
* `sessions` - who may come back, and what was said meanwhile
* `room`     - who is here, and the telling of news
* `commands` - what a line asks for
* `client`   - one connection, from the welcome to the last byte
* `door`     - the listening socket
* `server`   - all of it put together, from the first signal handler to the exit status
"""
