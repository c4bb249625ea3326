/**
 * Preloaded (`node --require`) into processes that must not need a network: an attempt to connect or to resolve a name
 * fails, and is written to the file that BAVERLY_CONNECTIONS names.
 */
const { appendFileSync } = require('node:fs');
const dns = require('node:dns');
const net = require('node:net');

function refuse(what, target) {
  appendFileSync(process.env.BAVERLY_CONNECTIONS, `${what} ${target}\n`);
  throw new Error(`offline: ${what} ${target}`);
}

/** `connect` takes options, or a port and a host, or a path; within Node.js these come normalised, in an array. */
net.Socket.prototype.connect = (...given) => {
  const [target, host] = given.flat();
  return refuse('connect', target?.host ?? target?.path ?? `${host}:${target}`);
};
dns.lookup = (name) => refuse('lookup', name);
dns.promises.lookup = (name) => refuse('lookup', name);
