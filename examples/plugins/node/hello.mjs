// The hello-world plugin in Node: initialised with a language, it greets in it.

import grpc from "@grpc/grpc-js";

import { load, serve } from "./outrigger_plugin.mjs";

const { proto, proto_common } = load("init.proto", "helloworld.proto");
const { INVALID_ARGUMENT, FAILED_PRECONDITION } = grpc.status;
const GREETINGS = new Map([
  ["en", "Hello {msg}!"],
  ["es", "Hola {msg}!"],
  ["de", "Hallo {msg}!"],
]);

/** Serves both interfaces; there is no greeting until Init has chosen one. */
class Hello {
  #greeting;

  /** Takes {"language": "en"}; without a config the language is English. */
  Init = ({ request }, callback) => {
    let config;
    try {
      config = JSON.parse(request.rawConfiguration.length > 0 ? request.rawConfiguration : "{}");
    } catch {
      config = undefined; // the error's text would show the config
    }
    if (typeof config !== "object" || Array.isArray(config)) {
      return callback({ code: INVALID_ARGUMENT, details: "the config is no JSON object" });
    }
    const language = config?.language ?? "en";
    if (!GREETINGS.has(language)) {
      const details = `language ${JSON.stringify(language)} is not known; choose en, es or de`;
      return callback({ code: INVALID_ARGUMENT, details });
    }
    this.#greeting = GREETINGS.get(language);
    // What a plugin prints reaches its host as standard output.
    console.log(`greeting in ${language} for ${request.hostIdentity}`);
    callback(null, {});
  };

  /** Answers in the language that Init chose. */
  Greeting = ({ request }, callback) => {
    if (!this.#greeting) {
      return callback({ code: FAILED_PRECONDITION, details: "Init comes before Greeting" });
    }
    callback(null, { msg: this.#greeting.replace("{msg}", () => request.msg) });
  };
}

function register(server) {
  const hello = new Hello();
  server.addService(proto_common.PluginInitializer.service, hello);
  server.addService(proto.PluginGreeting.service, hello);
}

await serve({ versions: { 1: register } });
