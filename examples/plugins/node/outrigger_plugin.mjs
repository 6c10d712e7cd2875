// All that a Node program needs to be a plugin of a go-plugin host.
//
// Copy this file, put your .proto files into `proto/`, write handlers for your
// gRPC services, call `serve`. It covers the cookie, the choice of a version,
// the certificate and mutual TLS, the handshake line, health, output, logging,
// shutdown and the host's death. Import it before anything that prints.
//
// It serves no broker, and multiplexes nothing; hosts tolerate that. A service
// for the broker finds what it needs in the `Plugin` that `serve` hands out.

import { execFileSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import tls from "node:tls";
import { fileURLToPath } from "node:url";

import grpc from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";
import protobuf from "protobufjs";

const CORE_PROTOCOL = 1;
export const QUORUM_COOKIE = [
  "QUORUM_PLUGIN_MAGIC_COOKIE",
  "CB9F51969613126D93468868990F77A8470EB9177503C5A38D437FEFF7786E09" +
    "41152E05C06A9A3313391059132A7F9CED86C0783FE63A8B38F01623C8257664",
];
// The forms of yes in the protocol.
const TRUE = ["1", "t", "T", "TRUE", "true", "True"];
// Read at once: a parent that dies later must not be missed.
const PARENT = process.ppid;
const PARENT_POLL_MS = 250;
// Of the 108 bytes of a socket's address the last one ends the path.
const LONGEST_PATH = 107;
const HANDSHAKE_MS = 10_000;
// A host kills 2 s after its request, which includes the answer's way.
const ANSWER_MS = 50;
const CLEANUP_MS = 1_500;
// The longest log record that go-plugin hosts take in one piece, less its line feed.
const LONGEST_RECORD = 64 * 1024 - 1;
// What may wait for a host that does not read its plugin's log.
const LOG_KEPT = 1024 * 1024;

const PROTO = `
  syntax = "proto3";
  package plugin;
  message Empty {}
  service GRPCController { rpc Shutdown(Empty) returns (Empty); }
  message StdioData {
    enum Channel { INVALID = 0; STDOUT = 1; STDERR = 2; }
    Channel channel = 1;
    bytes data = 2;
  }
  service GRPCStdio { rpc StreamStdio(Empty) returns (stream StdioData); }
`;
const HEALTH_PROTO = `
  syntax = "proto3";
  package grpc.health.v1;
  message HealthCheckRequest { string service = 1; }
  message HealthCheckResponse {
    enum ServingStatus { UNKNOWN = 0; SERVING = 1; NOT_SERVING = 2; SERVICE_UNKNOWN = 3; }
    ServingStatus status = 1;
  }
  message HealthListRequest {}
  message HealthListResponse { map<string, HealthCheckResponse> statuses = 1; }
  service Health {
    rpc Check(HealthCheckRequest) returns (HealthCheckResponse);
    rpc Watch(HealthCheckRequest) returns (stream HealthCheckResponse);
    rpc List(HealthListRequest) returns (HealthListResponse);
  }
`;

/** Loads `.proto` files of the folder `proto` beside this file; gives their packages. */
export function load(...files) {
  const includeDirs = [fileURLToPath(new URL("proto", import.meta.url))];
  return grpc.loadPackageDefinition(protoLoader.loadSync(files, { defaults: true, includeDirs }));
}

/** The same, from the text of one `.proto` file. */
export function parse(text) {
  const root = protobuf.parse(text).root.toJSON();
  return grpc.loadPackageDefinition(protoLoader.fromJSON(root, { defaults: true }));
}

/** What the program prints, for the host; one that does not read loses the oldest pieces. */
class Output {
  static PIECE = 1024; // bytes, the protocol's habit
  static KEPT = 1024; // pieces
  #pieces = [];
  #reader = null;

  /** Takes the place of a stream's `write`. */
  write = (chunk, encoding, done) => {
    const data = typeof chunk === "string" ? Buffer.from(chunk, encodingOf(encoding)) : chunk;
    for (let at = 0; at < data.length; at += Output.PIECE) {
      this.#pieces.push(Buffer.from(data.subarray(at, at + Output.PIECE)));
    }
    this.#pieces.splice(0, this.#pieces.length - Output.KEPT);
    this.#send();
    const callback = typeof encoding === "function" ? encoding : done;
    if (callback) process.nextTick(callback);
    return true;
  };

  /** Sends to one call at a time, the newest. */
  read(call) {
    this.#reader = call;
    call.on("drain", () => this.#send());
    call.on("cancelled", () => {
      if (this.#reader === call) this.#reader = null;
    });
    this.#send();
  }

  #send() {
    while (this.#reader && !this.#reader.writableNeedDrain && this.#pieces.length > 0) {
      this.#reader.write({ channel: "STDOUT", data: this.#pieces.shift() });
    }
  }
}

function encodingOf(encoding) {
  return typeof encoding === "string" ? encoding : "utf8";
}

// From the first moment on: nothing but the handshake line may reach the
// standard output that the host reads, whoever prints.
const output = new Output();
process.stdout.write = output.write;
// A host that is gone, or reads no log, must not end its plugin.
process.stderr.on("error", () => {});

/** The plugin's log: `log.info("opened", { path })`, for the levels that go-plugin hosts know. */
export const log = Object.fromEntries(
  ["trace", "debug", "info", "warn", "error"].map((level) => [
    level,
    (message, fields) => record(level, String(message), fields),
  ]),
);

/** Writes one JSON object in one line, in the form that go-plugin hosts sort by level. */
function record(level, message, fields) {
  if (process.stderr.writableLength > LOG_KEPT) return;
  const own = {
    "@level": level,
    "@message": message,
    "@module": path.basename(process.argv[1] ?? "plugin"),
    // Hosts take six digits of a second, no more and no fewer.
    "@timestamp": new Date().toISOString().replace("Z", "000Z"),
  };
  const plain = (_, value) =>
    value instanceof Error ? value.stack : typeof value === "bigint" ? String(value) : value;
  let line;
  try {
    line = JSON.stringify({ ...fields, ...own }, plain);
  } catch (error) {
    line = JSON.stringify({ ...own, unwritten: `the fields are no JSON: ${error.message}` });
  }
  if (Buffer.byteLength(line) > LONGEST_RECORD) {
    // Escaped, a character takes at most six bytes.
    own["@message"] = `${message.slice(0, LONGEST_RECORD / 8)} (cut)`;
    line = JSON.stringify(own);
  }
  process.stderr.write(`${line}\n`);
}

/**
 * Serves until the host says stop or dies, then ends the process.
 *
 * `versions` maps each application protocol version that the plugin speaks to a
 * function `(server, plugin)` that adds its services to the grpc-js server;
 * `options` are that server's; `cleanup` runs when serving is over. A broker
 * that multiplexes gives `multiplex`, which gets what takes a stream for the
 * server and gives what takes the host's one connection.
 */
export async function serve({ versions, cookie, options, cleanup, multiplex }) {
  requireCookie(cookie ?? QUORUM_COOKIE);
  const version = choose(Object.keys(versions).map(Number));
  const hostCertificate = take("PLUGIN_CLIENT_CERT");
  const directory = take("PLUGIN_UNIX_SOCKET_DIR") || os.tmpdir();
  const group = groupId(take("PLUGIN_UNIX_SOCKET_GROUP"));
  const multiplexed = TRUE.includes(take("PLUGIN_MULTIPLEX_GRPC")) && multiplex !== undefined;
  ["PLUGIN_MIN_PORT", "PLUGIN_MAX_PORT"].forEach(take);
  const identity = hostCertificate ? await exchange(hostCertificate) : null;
  const plugin = new Plugin({ version, multiplexed, identity, directory, group });

  const server = new grpc.Server(options);
  let listener;
  const stop = once(async (status) => {
    // Not a graceful stop: that waits for the host's two permanent streams.
    server.forceShutdown();
    plugin.close();
    await Promise.race([
      Promise.resolve().then(cleanup).catch((error) => log.error("the clean-up failed", { error })),
      new Promise((resolve) => setTimeout(resolve, CLEANUP_MS)),
    ]);
    process.exit(status);
  });
  addHostServices(server, () => setTimeout(stop, ANSWER_MS, 0));
  versions[version](server, plugin);
  try {
    const door = plugin.door(server);
    listener = await plugin.listen(multiplexed ? multiplex(door, plugin) : door);
  } catch (error) {
    die(`the socket cannot be made; is its directory there, and writable? ${error.message}`);
  }

  // Ctrl-C reaches the host's whole group; the host decides what it means.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => stop(0));
  process.on("uncaughtException", (error) => {
    log.error(`uncaught: ${error?.stack ?? error}`);
    stop(1);
  });
  // Not `disconnect`, nor the end of standard input: hosts promise neither.
  setInterval(() => process.ppid === PARENT || stop(0), PARENT_POLL_MS);
  const certificate = identity ? identity.der.toString("base64").replace(/=+$/, "") : "";
  const fields = [CORE_PROTOCOL, version, "unix", listener.address, "grpc", certificate];
  if (multiplexed) fields.push("true");
  try {
    fs.writeSync(1, `${fields.join("|")}\n`);
  } catch {
    stop(1); // the host died before it could read the line
  }
}

/** What services may know of the plugin that they belong to. */
export class Plugin {
  #identity;
  #directory;
  #group;
  #listeners = new Set();

  constructor({ version, multiplexed, identity, directory, group }) {
    /** The application protocol version that was chosen. */
    this.version = version;
    /** Whether all connections share one. */
    this.multiplexed = multiplexed;
    /** Whether connections are encrypted and both sides prove who they are. */
    this.mutualTls = identity !== null;
    this.#identity = identity;
    this.#directory = directory;
    this.#group = group;
  }

  /** Takes connections of the host, and of nobody else, for a grpc-js server. */
  door(server) {
    const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
    const inject = (stream) => injector.injectConnection(stream);
    if (!this.#identity) return inject;
    const guard = guarded(this.#identity, inject);
    return (stream) => guard.emit("connection", stream);
  }

  /** Gives what connects to a new socket to a function, such as a door. */
  async listen(accept) {
    const address = path.join(this.#directory, `plugin${crypto.randomBytes(8).toString("hex")}`);
    if (Buffer.byteLength(address) > LONGEST_PATH) {
      throw new Error(`${address} is too long for a socket; set TMPDIR to a shorter directory.`);
    }
    const sockets = new Set();
    const listener = net.createServer((socket) => {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
      socket.on("error", () => {});
      accept(socket);
    });
    await new Promise((resolve, reject) => {
      listener.once("error", reject);
      listener.listen({ path: address }, resolve);
    });
    if (this.#group !== null) {
      fs.chownSync(address, process.getuid(), this.#group);
      fs.chmodSync(address, 0o660);
    }
    const close = () => {
      this.#listeners.delete(close);
      listener.close(); // removes the socket, too
      sockets.forEach((socket) => socket.destroy());
    };
    this.#listeners.add(close);
    return { network: "unix", address, close };
  }

  /** Credentials and options for a grpc-js client of what the host serves by itself. */
  dialing() {
    const any = { "grpc.max_receive_message_length": -1 };
    if (!this.#identity) return [grpc.credentials.createInsecure(), any];
    const { hostPem, keyPem, pem, isHost } = this.#identity;
    const checkServerIdentity = (_, { raw }) =>
      isHost(raw) ? undefined : new Error("this is not the host that started the plugin");
    return [
      grpc.credentials.createSsl(Buffer.from(hostPem), Buffer.from(keyPem), Buffer.from(pem), {
        checkServerIdentity,
      }),
      {
        ...any,
        "grpc.ssl_target_name_override": "localhost",
        "grpc.default_authority": "localhost",
      },
    ];
  }

  /** Ends all that `listen` began. */
  close() {
    this.#listeners.forEach((close) => close());
  }
}

/** A TLS server that lets in nobody but the host. */
function guarded({ keyPem, pem, isHost }, accept) {
  const listener = tls.createServer({
    key: keyPem,
    cert: pem,
    requestCert: true,
    // TLS proves that the client has the key to the certificate that it shows;
    // whose certificate that is, we see by its bytes. Verification against a
    // root would add certificates that the host's key signed, and would send a
    // list of authorities, at which Go clients may keep theirs back.
    rejectUnauthorized: false,
    ALPNProtocols: ["h2"],
    minVersion: "TLSv1.2",
    handshakeTimeout: HANDSHAKE_MS,
    // Nobody is let in on the strength of an earlier handshake.
    secureOptions: crypto.constants.SSL_OP_NO_TICKET,
  });
  listener.on("secureConnection", (socket) => {
    const certificate = socket.getPeerX509Certificate();
    if (certificate && isHost(certificate.raw) && socket.alpnProtocol === "h2") accept(socket);
    else socket.destroy();
  });
  // Of a handshake that failed, or took too long, Node leaves the connection to us.
  listener.on("tlsClientError", (_, socket) => socket.destroy());
  return listener;
}

/** Our key and certificate, and the host's. */
async function exchange(hostPem) {
  const blocks = hostPem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  let trusted;
  try {
    trusted = blocks.map((block) => new crypto.X509Certificate(block).raw);
  } catch (error) {
    die(`PLUGIN_CLIENT_CERT holds a certificate that cannot be read: ${error.message}`);
  }
  if (trusted.length === 0) die("PLUGIN_CLIENT_CERT holds no certificate in PEM");
  const { privateKey, publicKey } = crypto.generateKeyPairSync("ec", { namedCurve: "P-256" });
  const der = await selfSigned(privateKey, publicKey);
  return {
    hostPem: blocks.join("\n"),
    keyPem: privateKey.export({ type: "pkcs8", format: "pem" }),
    pem: new crypto.X509Certificate(der).toString(),
    der,
    isHost: (raw) => trusted.some((certificate) => certificate.equals(raw)),
  };
}

/** A certificate for `localhost`, in DER, good for both roles in TLS. */
async function selfSigned(privateKey, publicKey) {
  // Loaded here, as it takes its time and plaintext has no use for it.
  const { AsnConvert, OctetString } = (await import("@peculiar/asn1-schema")).default;
  const x509 = (await import("@peculiar/asn1-x509")).default;
  const attribute = (type, utf8String) =>
    new x509.RelativeDistinguishedName([
      new x509.AttributeTypeAndValue({ type, value: new x509.AttributeValue({ utf8String }) }),
    ]);
  const organisation = attribute("2.5.4.10", "Outrigger");
  const name = new x509.Name([organisation, attribute("2.5.4.3", "localhost")]);
  const extension = (extnID, critical, value) => {
    const extnValue = new OctetString(AsnConvert.serialize(value));
    return new x509.Extension({ extnID, critical, extnValue });
  };
  const now = Math.floor(Date.now() / 1000) * 1000;
  const serial = crypto.randomBytes(16);
  serial[0] = (serial[0] & 0x7f) | 0x40; // positive, and of one length
  const ecdsaWithSha256 = "1.2.840.10045.4.3.2";
  const algorithm = new x509.AlgorithmIdentifier({ algorithm: ecdsaWithSha256 });
  const tbsCertificate = new x509.TBSCertificate({
    version: x509.Version.v3,
    serialNumber: bytes(serial),
    signature: algorithm,
    issuer: name,
    validity: new x509.Validity({
      notBefore: new Date(now - 30_000),
      notAfter: new Date(now + 30 * 365 * 86_400_000),
    }),
    subject: name,
    subjectPublicKeyInfo: AsnConvert.parse(
      publicKey.export({ type: "spki", format: "der" }),
      x509.SubjectPublicKeyInfo,
    ),
    extensions: new x509.Extensions([
      extension(x509.id_ce_basicConstraints, true, new x509.BasicConstraints({ cA: false })),
      extension(x509.id_ce_keyUsage, true, new x509.KeyUsage(x509.KeyUsageFlags.digitalSignature)),
      extension(
        x509.id_ce_extKeyUsage,
        false,
        new x509.ExtendedKeyUsage([x509.id_kp_clientAuth, x509.id_kp_serverAuth]),
      ),
      extension(
        x509.id_ce_subjectAltName,
        false,
        new x509.SubjectAlternativeName([new x509.GeneralName({ dNSName: "localhost" })]),
      ),
    ]),
  });
  const signed = Buffer.from(AsnConvert.serialize(tbsCertificate));
  const certificate = new x509.Certificate({
    tbsCertificate,
    signatureAlgorithm: algorithm,
    signatureValue: bytes(crypto.sign("sha256", signed, privateKey)),
  });
  return Buffer.from(AsnConvert.serialize(certificate));
}

/** A buffer's bytes as an ArrayBuffer of their own. */
function bytes(buffer) {
  return buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.length);
}

/** What every go-plugin host expects beside the plugin's own services. */
function addHostServices(server, shutdown) {
  const { Health } = parse(HEALTH_PROTO).grpc.health.v1;
  const { GRPCController, GRPCStdio } = parse(PROTO).plugin;
  const known = ["", "plugin"];
  server.addService(Health.service, {
    Check({ request: { service } }, callback) {
      if (known.includes(service)) callback(null, { status: "SERVING" });
      else callback({ code: grpc.status.NOT_FOUND, details: "no such service here" });
    },
    Watch(call) {
      call.write({ status: known.includes(call.request.service) ? "SERVING" : "SERVICE_UNKNOWN" });
    },
    List(_, callback) {
      const statuses = known.map((name) => [name, { status: "SERVING" }]);
      callback(null, { statuses: Object.fromEntries(statuses) });
    },
  });
  server.addService(GRPCController.service, {
    Shutdown(_, callback) {
      callback(null, {});
      shutdown();
    },
  });
  server.addService(GRPCStdio.service, { StreamStdio: (call) => output.read(call) });
}

function requireCookie([key, value]) {
  if (!key || !value) die("the plugin's own cookie is empty.");
  if (process.env[key] === value) return;
  const name = path.basename(process.argv[1] ?? "this program");
  die(`${name} is a plugin: it is not run by hand but by a host, which sets ${key}.`);
}

/** The highest version that both sides speak; else our lowest, for the host to refuse. */
function choose(ours) {
  const offered = (take("PLUGIN_PROTOCOL_VERSIONS") ?? "").split(",");
  const common = ours.filter((version) => offered.includes(String(version)));
  return common.length > 0 ? Math.max(...common) : Math.min(...ours);
}

/** Reads a variable and removes it: it is not for our own child processes. */
function take(name) {
  const value = process.env[name];
  delete process.env[name];
  return value;
}

function groupId(group) {
  if (!group) return null;
  if (/^\d+$/.test(group)) return Number(group);
  try {
    return Number(execFileSync("getent", ["group", group], { encoding: "utf8" }).split(":")[2]);
  } catch {
    return die(`PLUGIN_UNIX_SOCKET_GROUP names a group that is not here: ${group}`);
  }
}

function once(action) {
  let begun = null;
  return (...given) => (begun ??= action(...given));
}

function die(message) {
  try {
    fs.writeSync(2, `${message}\n`);
  } catch {
    // Nobody listens.
  }
  process.exit(1);
}
