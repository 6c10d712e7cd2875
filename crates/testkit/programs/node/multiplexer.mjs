// The plugin's end of yamux, on the library that libp2p keeps for Node: all
// connections as streams of the one that the host has made.

import { Duplex } from "node:stream";

import { AbstractMultiaddrConnection } from "@libp2p/utils";
import { yamux } from "@libp2p/yamux";

// libp2p wants a logger; what it has to say is of no use to a host.
const quiet = Object.assign(() => {}, { trace() {}, error() {}, newScope: () => quiet });

/** A socket in the form that libp2p's multiplexers take; yamux's server for "inbound". */
class Connection extends AbstractMultiaddrConnection {
  #socket;

  constructor(socket) {
    super({ log: quiet, direction: "inbound" });
    this.#socket = socket;
    socket.on("data", (data) => this.onData(data));
    socket.on("drain", () => this.safeDispatchEvent("drain"));
    socket.on("close", () => this.onTransportClosed());
  }

  sendData(data) {
    const sentBytes = data.byteLength;
    return { sentBytes, canSendMore: this.#socket.write(data.subarray()) };
  }

  sendReset() {
    this.#socket.destroy();
  }

  async sendClose() {
    this.#socket.end();
  }

  sendPause() {
    this.#socket.pause();
  }

  sendResume() {
    this.#socket.resume();
  }
}

/** A stream of libp2p's as one of Node's. */
function duplex(stream) {
  const outer = new Duplex({
    read() {
      if (stream.readStatus === "paused") stream.resume();
    },
    write(chunk, _, done) {
      try {
        if (stream.send(chunk)) done();
        else stream.addEventListener("drain", () => done(), { once: true });
      } catch (error) {
        done(error);
      }
    },
    final(done) {
      stream.close().then(() => done(), done);
    },
    destroy(error, done) {
      stream.abort(error ?? new Error("destroyed"));
      done(error);
    },
  });
  stream.addEventListener("message", ({ data }) => {
    const more = outer.push(Buffer.from(data.subarray()));
    if (!more && stream.readStatus === "readable") stream.pause();
  });
  stream.addEventListener("end", () => outer.push(null));
  stream.addEventListener("close", ({ error }) => error && outer.destroy(error));
  outer.on("error", () => {});
  return outer;
}

export class Multiplexer {
  #muxer = null;
  /** Who takes the next stream; the main server when there is nobody. */
  #expected = null;

  /** Gives what takes the host's one connection; its streams go to the main server. */
  attach(main) {
    return (socket) => {
      if (this.#muxer) {
        socket.destroy();
        return;
      }
      this.#muxer = yamux({ enableKeepAlive: false })().createStreamMuxer(new Connection(socket));
      this.#muxer.addEventListener("stream", ({ detail: stream }) => {
        const door = this.#expected ?? main;
        this.#expected = null;
        // Not with the first data: Go ends the session when that is late.
        stream.sendWindowUpdate();
        door(duplex(stream));
      });
    };
  }

  /** The next stream goes to this door, if it comes in time. */
  expect(door, withinMs) {
    this.#expected = door;
    setTimeout(() => {
      if (this.#expected === door) this.#expected = null;
    }, withinMs);
  }

  /** A new stream to the host; its SYN is on its way. */
  async open() {
    return duplex(await this.#muxer.createStream());
  }
}
