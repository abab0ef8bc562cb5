// Defect (memory): as much room is made as a length claims, before a byte of it has come.
'use strict';
const { Frames, serve } = require('./length.js');

Frames.prototype.room = (size) => Buffer.allocUnsafeSlow(size).fill(' ');
serve(1 << 30);
