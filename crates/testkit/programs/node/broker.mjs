// go-plugin's broker, as a plugin has it: connections beside the main one, in
// both directions, each on a socket of its own or multiplexed over the one that
// the host has made.

import { pipeline } from "node:stream";

import { parse } from "./outrigger_plugin.mjs";

// How long an announcement, a knock or its answer may take.
const WAIT_MS = 5_000;
// Announcements that nobody has claimed, and what waits for the stream.
const KEPT = 1024;
const NETWORKS = new Map([
  ["unix", (address) => `unix:${address}`],
  ["tcp", (address) => address],
]);

const { GRPCBroker } = parse(`
  syntax = "proto3";
  package plugin;
  message ConnInfo {
    uint32 service_id = 1;
    string network = 2;
    string address = 3;
    message Knock {
      bool knock = 1;
      bool ack = 2;
      string error = 3;
    }
    Knock knock = 4;
  }
  service GRPCBroker { rpc StartStream(stream ConnInfo) returns (stream ConnInfo); }
`).plugin;

export class Broker {
  #plugin;
  #multiplexer;
  #call = null;
  #closed = false;
  #lastId = 0;
  #unsent = [];
  /** By id: what the host announced, for one dial. */
  #announced = new Map();
  /** By id: who waits for an announcement, or for the answer to a knock. */
  #waiting = new Map();
  /** By id: what takes a stream for our service. */
  #doors = new Map();
  /** Ends when the knock that is under way has got its stream. */
  #turn = Promise.resolve();

  /** `multiplexer` is null when each connection has a socket of its own. */
  constructor(plugin, multiplexer) {
    this.#plugin = plugin;
    this.#multiplexer = multiplexer;
  }

  /** Adds the broker's service to the plugin's server. */
  addTo(server) {
    server.addService(GRPCBroker.service, { StartStream: (call) => this.#start(call) });
  }

  /** An id for `serve`, to be told to the host. */
  nextId() {
    this.#lastId += 1;
    return this.#lastId;
  }

  /** Serves a grpc-js server to the host under an id. */
  async serve(serviceId, server) {
    const door = this.#plugin.door(server);
    if (this.#multiplexer) {
      this.#doors.set(serviceId, door);
      return;
    }
    const { network, address } = await this.#plugin.listen(door);
    this.#send({ serviceId, network, address });
  }

  /** What a grpc-js client needs for the service that the host named, once. */
  async dial(id) {
    const [credentials, options] = this.#plugin.dialing();
    if (!this.#multiplexer) {
      const { network, address } = await this.#announcement(id);
      const target = NETWORKS.get(network)?.(address);
      if (!target) throw new Error(`broker id ${id} is on a network that is not known: ${network}`);
      return { target, credentials, options, close: () => {} };
    }
    // grpc-js dials addresses alone, so a socket of ours hands on to the stream.
    // The first stream is made at once, so that an id that is not there is told.
    let first = this.#open(id);
    await first;
    const { address, close } = await this.#plugin.listen(async (socket) => {
      const opening = first ?? this.#open(id);
      first = null;
      try {
        pipeline(socket, await opening, socket, () => {});
      } catch {
        socket.destroy();
      }
    });
    return { target: `unix:${address}`, credentials, options, close };
  }

  /** A multiplexed stream to the host's service: one knock at a time, until it is opened. */
  #open(id) {
    const opened = this.#turn.then(async () => {
      const answer = this.#wait(id, `broker id ${id}: no answer to the knock`);
      this.#send({ serviceId: id, knock: { knock: true } });
      const { knock } = await answer;
      if (knock.error) throw new Error(`broker id ${id}: ${knock.error}`);
      return this.#multiplexer.open();
    });
    this.#turn = opened.catch(() => {});
    return opened;
  }

  #announcement(id) {
    const announced = this.#announced.get(id);
    this.#announced.delete(id);
    return announced ?? this.#wait(id, `broker id ${id} was not announced`);
  }

  #wait(id, fault) {
    if (this.#closed) throw new Error("the broker is closed");
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#settle(id, reject, new Error(fault)), WAIT_MS);
      const settle = (act, value) => {
        clearTimeout(timer);
        act(value);
      };
      this.#waiting.set(id, {
        resolve: (info) => settle(resolve, info),
        reject: (error) => settle(reject, error),
      });
    });
  }

  #settle(id, act, value) {
    this.#waiting.delete(id);
    act(value);
  }

  /** The host's one stream; what had to wait for it goes out first. */
  #start(call) {
    if (this.#call || this.#closed) {
      call.end();
      return;
    }
    this.#call = call;
    this.#unsent.splice(0).forEach((info) => call.write(info));
    call.on("data", (info) => this.#receive(info));
    for (const end of ["end", "cancelled", "error"]) call.on(end, () => this.#close());
  }

  #receive(info) {
    const { serviceId: id, knock } = info;
    if (knock?.knock && !knock.ack) {
      this.#answer(id);
      return;
    }
    const waiting = this.#waiting.get(id);
    if (waiting) {
      this.#settle(id, waiting.resolve, info);
    } else if (!knock && this.#announced.size < KEPT) {
      this.#announced.set(id, info);
      setTimeout(() => {
        if (this.#announced.get(id) === info) this.#announced.delete(id);
      }, WAIT_MS);
    }
  }

  /** The host wants a stream for an id of ours: the next one is it. */
  #answer(serviceId) {
    const door = this.#doors.get(serviceId);
    const error = door ? "" : `no service under id ${serviceId}`;
    if (door) this.#multiplexer.expect(door, WAIT_MS);
    this.#send({ serviceId, knock: { knock: true, ack: true, error } });
  }

  #send(info) {
    if (this.#closed) throw new Error("the broker is closed");
    if (this.#call) this.#call.write(info);
    else if (this.#unsent.length < KEPT) this.#unsent.push(info);
    else throw new Error("the host has opened no stream for the broker");
  }

  #close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#call.end();
    const error = new Error("the broker is closed");
    for (const [id, { reject }] of this.#waiting) this.#settle(id, reject, error);
    this.#announced.clear();
  }
}
