// The Node plugin of the interop matrix: GoQuorum's hello world and the probe,
// with the broker in both directions, on the file that authors copy.

import grpc from "@grpc/grpc-js";

import { load, log, serve } from "./outrigger_plugin.mjs";
import { Broker } from "./broker.mjs";
import { Multiplexer } from "./multiplexer.mjs";

// What the plugin takes in one message; grpc-js's own limit is 4 MiB.
const LARGEST = 64 * 1024 * 1024;
const GREETINGS = new Map([
  ["en", "Hello {msg}!"],
  ["es", "Hola {msg}!"],
  ["de", "Hallo {msg}!"],
]);
const options = { "grpc.max_receive_message_length": LARGEST };
const { INVALID_ARGUMENT, FAILED_PRECONDITION, UNAVAILABLE } = grpc.status;
const { proto, proto_common, outrigger } = load("init.proto", "helloworld.proto", "probe.proto");
const { Probe, Answer } = outrigger.probe.v1;

/** Turns an asynchronous function into a handler; what it throws is the status. */
function answering(method) {
  return ({ request }, callback) =>
    method(request).then(
      (response) => callback(null, response),
      ({ code, details, message }) => callback({ code, details: details ?? message }),
    );
}

function refusal(code, details) {
  return Object.assign(new Error(details), { code });
}

function greeter() {
  let greeting;
  return {
    Init: answering(async ({ rawConfiguration }) => {
      const config = rawConfiguration.length > 0 ? JSON.parse(rawConfiguration) : {};
      greeting = GREETINGS.get(config.language ?? "en");
      if (!greeting) throw refusal(INVALID_ARGUMENT, "the language is not known");
      return {};
    }),
    Greeting: answering(async ({ msg }) => {
      if (!greeting) throw refusal(FAILED_PRECONDITION, "Init comes before Greeting");
      return { msg: greeting.replace("{msg}", () => msg) };
    }),
  };
}

function probe(plugin, broker) {
  const write = (stream, data) => new Promise((resolve) => stream.write(data, resolve));
  return {
    Echo: answering(async (payload) => payload),
    EchoStream(call) {
      call.on("data", (payload) => {
        if (call.write(payload)) return;
        call.pause();
        call.once("drain", () => call.resume());
      });
      call.on("end", () => call.end());
    },
    Print: answering(async ({ stdout, stderr }) => {
      if (stdout.length > 0) await write(process.stdout, stdout);
      if (stderr.length > 0) await write(process.stderr, stderr);
      return {};
    }),
    Log: answering(async ({ level, message, fields }) => {
      if (!log[level]) throw refusal(INVALID_ARGUMENT, `level ${level} is not known`);
      log[level](message, fields);
      return {};
    }),
    CallHost: answering(async ({ brokerId, data }) => {
      const dialled = await broker.dial(brokerId).catch(({ message }) => {
        throw refusal(UNAVAILABLE, message);
      });
      const client = new Answer(dialled.target, dialled.credentials, dialled.options);
      try {
        return await new Promise((resolve, reject) =>
          client.Ask({ data }, (error, payload) => (error ? reject(error) : resolve(payload))),
        );
      } finally {
        client.close();
        dialled.close();
      }
    }),
    Offer: answering(async ({ silent }) => {
      const brokerId = broker.nextId();
      if (!silent) {
        const server = new grpc.Server(options);
        const prefixed = (data) => Buffer.concat([Buffer.from("plugin:"), data]);
        server.addService(Answer.service, {
          Ask: answering(async ({ data }) => ({ data: prefixed(data) })),
        });
        await broker.serve(brokerId, server);
      }
      return { brokerId };
    }),
    Describe: answering(async () => ({
      protocolVersion: plugin.version,
      mutualTls: plugin.mutualTls,
      multiplexed: plugin.multiplexed,
      pid: process.pid,
    })),
  };
}

const multiplexer = new Multiplexer();

function register(server, plugin) {
  const broker = new Broker(plugin, plugin.multiplexed ? multiplexer : null);
  broker.addTo(server);
  const both = greeter();
  server.addService(proto_common.PluginInitializer.service, both);
  server.addService(proto.PluginGreeting.service, both);
  server.addService(Probe.service, probe(plugin, broker));
}

const flag = process.argv.indexOf("-versions");
const numbers = flag < 0 ? ["1"] : process.argv[flag + 1].split(",");
const versions = Object.fromEntries(numbers.map((number) => [number, register]));
await serve({ versions, options, multiplex: (main) => multiplexer.attach(main) });
