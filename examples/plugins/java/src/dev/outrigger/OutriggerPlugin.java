package dev.outrigger;

import static com.google.common.base.Throwables.getStackTraceAsString;

import com.google.gson.JsonObject;
import com.google.protobuf.ByteString;
import grpc.health.v1.HealthGrpc;
import grpc.health.v1.HealthOuterClass.*;
import grpc.health.v1.HealthOuterClass.HealthCheckResponse.ServingStatus;
import io.grpc.*;
import io.grpc.netty.*;
import io.grpc.stub.*;
import io.netty.channel.*;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.*;
import io.netty.handler.ssl.*;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.*;
import java.math.BigInteger;
import java.net.UnixDomainSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.nio.file.attribute.*;
import java.security.*;
import java.security.cert.*;
import java.security.spec.ECGenParameterSpec;
import java.time.*;
import java.time.format.DateTimeFormatter;
import java.util.*;
import java.util.concurrent.*;
import java.util.function.Function;
import java.util.logging.*;
import javax.net.ssl.*;
import org.bouncycastle.asn1.*;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.*;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import plugin.*;
import plugin.GrpcStdio.StdioData;

/**
 * All that a Java program needs to be a plugin of a go-plugin host.
 *
 * <p>Copy this file and {@code gen/}, write classes for your gRPC services, name them with {@link
 * #version}, call {@link #serve}. It covers the cookie, the choice of a version, the certificate
 * and mutual TLS, the handshake line, health, output, logging, shutdown and the host's death. Make
 * one before anything prints.
 *
 * <p>It serves no broker, and so no multiplexing; hosts tolerate that. A service for the broker
 * finds what it needs in {@link #listen} and {@link #dial}.
 */
public final class OutriggerPlugin {
  /** Of the 108 bytes of a socket's address the last one ends the path. */
  private static final int LONGEST_PATH = 107;
  /** The longest record that go-plugin hosts take in one piece, less its line feed. */
  private static final int LONGEST_RECORD = 64 * 1024 - 1;
  /** Hosts take six digits of a second, no more and no fewer. */
  private static final DateTimeFormatter TIMESTAMP =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSS'Z'").withZone(ZoneOffset.UTC);
  private static final long PARENT_POLL_MS = 250;
  /** A host kills 2 s after its request; these two are what we take of them. */
  private static final long ANSWER_MS = 50;
  private static final long CLEANUP_MS = 1_500;
  /** Asked for at once: a parent that dies later must not be missed. */
  private static final Optional<Long> PARENT = parent();
  private static final FileOutputStream STDOUT = new FileOutputStream(FileDescriptor.out);
  private static final Output OUTPUT = new Output();

  static {
    // From here on nothing but the handshake line may reach the standard output
    // that the host reads, whoever prints.
    System.setOut(new PrintStream(OUTPUT, true, StandardCharsets.UTF_8));
    // Its own handler, which writes to standard error, in the form that hosts read.
    for (Handler handler : LogManager.getLogManager().getLogger("").getHandlers()) {
      handler.setFormatter(new HostFormatter());
    }
    Thread.setDefaultUncaughtExceptionHandler(
        (thread, error) -> log("error", thread.getName(), getStackTraceAsString(error), Map.of()));
  }

  private final SortedMap<Integer, Function<OutriggerPlugin, List<BindableService>>> versions =
      new TreeMap<>();
  private final Map<Server, Path> servers = new ConcurrentHashMap<>();
  private final Semaphore running = new Semaphore(1);
  private final ThreadFactory daemons = new DefaultThreadFactory("outrigger", true);
  private final ScheduledExecutorService clock = Executors.newScheduledThreadPool(1, daemons);
  private final EventLoopGroup threads =
      new MultiThreadIoEventLoopGroup(2, daemons, NioIoHandler.newFactory());
  private String cookieKey = "QUORUM_PLUGIN_MAGIC_COOKIE";
  private String cookieValue =
      "CB9F51969613126D93468868990F77A8470EB9177503C5A38D437FEFF7786E09"
          + "41152E05C06A9A3313391059132A7F9CED86C0783FE63A8B38F01623C8257664";
  private int largestMessage = 4 << 20;
  private int version;
  private Identity identity;
  private Path directory;
  private String group;

  /** Serves these services under an application protocol version. */
  public OutriggerPlugin version(
      int version, Function<OutriggerPlugin, List<BindableService>> services) {
    versions.put(version, services);
    return this;
  }

  /** Another cookie than GoQuorum's. */
  public OutriggerPlugin cookie(String key, String value) {
    cookieKey = key;
    cookieValue = value;
    return this;
  }

  /** How many bytes a message may have; 4 MiB unless set. */
  public OutriggerPlugin largestMessage(int bytes) {
    largestMessage = bytes;
    return this;
  }

  /** The application protocol version that was chosen. */
  public int version() {
    return version;
  }

  /** Whether connections are encrypted and both sides prove who they are. */
  public boolean mutualTls() {
    return identity != null;
  }

  /**
   * Serves until the host says stop or dies, then ends the process. What is to be cleaned up goes
   * into a hook, {@link Runtime#addShutdownHook}, and has 1.5 s.
   */
  public void serve() {
    if (cookieValue.isEmpty() || !cookieValue.equals(System.getenv(cookieKey))) {
      die("This is a plugin: it is not run by hand but by a host, which sets " + cookieKey + ".");
    }
    version = choose();
    String hostCertificate = variable("PLUGIN_CLIENT_CERT", "");
    directory = Path.of(variable("PLUGIN_UNIX_SOCKET_DIR", variable("TMPDIR", "/tmp")));
    group = variable("PLUGIN_UNIX_SOCKET_GROUP", "");
    Path socket = null;
    try {
      identity = hostCertificate.isEmpty() ? null : new Identity(hostCertificate);
      List<BindableService> services = new ArrayList<>(versions.get(version).apply(this));
      services.addAll(List.of(new Health(), new Controller(), new Stdio()));
      socket = listen(services);
    } catch (GeneralSecurityException | SSLException error) {
      die("the certificates cannot be used: " + error.getMessage());
    } catch (IOException error) {
      servers.values().forEach(made -> made.toFile().delete());
      die("the socket cannot be made; is its directory there, and writable? " + error);
    }
    // Ctrl-C reaches the host's whole group; the host decides what it means.
    sun.misc.Signal.handle(new sun.misc.Signal("INT"), sun.misc.SignalHandler.SIG_IGN);
    sun.misc.Signal.handle(new sun.misc.Signal("TERM"), signal -> stop(0));
    Runnable follow = () -> {
      if (!parent().equals(PARENT)) {
        stop(0);
      }
    };
    clock.scheduleWithFixedDelay(follow, 0, PARENT_POLL_MS, TimeUnit.MILLISECONDS);
    String certificate = identity == null ? "" : identity.encoded;
    String line = "1|" + version + "|unix|" + socket + "|grpc|" + certificate + "\n";
    try {
      STDOUT.write(line.getBytes(StandardCharsets.UTF_8));
    } catch (IOException hostDied) {
      stop(1);
    }
    while (true) {
      java.util.concurrent.locks.LockSupport.park();
    }
  }

  /** Lets services serve the host, and nobody else, on a new socket; gives its path. */
  public Path listen(List<? extends BindableService> services) throws IOException {
    Path path = directory.resolve("plugin" + new BigInteger(64, new SecureRandom()).toString(16));
    if (path.toString().getBytes(StandardCharsets.UTF_8).length > LONGEST_PATH) {
      throw new IOException(path + " is too long for a socket; set TMPDIR to a shorter directory.");
    }
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(UnixDomainSocketAddress.of(path))
            .channelType(NioServerDomainSocketChannel.class)
            .bossEventLoopGroup(threads)
            .workerEventLoopGroup(threads)
            .withChildOption(ChannelOption.SO_KEEPALIVE, null) // of TCP
            .maxInboundMessageSize(largestMessage)
            .handshakeTimeout(10, TimeUnit.SECONDS);
    if (identity != null) {
      builder.sslContext(identity.server());
    }
    services.forEach(builder::addService);
    Server server = builder.build().start();
    servers.put(server, path);
    if (!group.isEmpty()) {
      if (group.chars().allMatch(Character::isDigit)) {
        Files.setAttribute(path, "unix:gid", Integer.parseInt(group));
      } else {
        var principals = path.getFileSystem().getUserPrincipalLookupService();
        Files.getFileAttributeView(path, PosixFileAttributeView.class)
            .setGroup(principals.lookupPrincipalByGroupName(group));
      }
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-rw----"));
    }
    return path;
  }

  /** A channel to what the host serves by itself on a socket. */
  public ManagedChannel dial(Path socket) throws IOException {
    NettyChannelBuilder builder =
        NettyChannelBuilder.forAddress(UnixDomainSocketAddress.of(socket))
            .channelType(NioDomainSocketChannel.class)
            .eventLoopGroup(threads)
            .withOption(ChannelOption.SO_KEEPALIVE, null) // of TCP
            .overrideAuthority("localhost")
            .maxInboundMessageSize(Integer.MAX_VALUE);
    var secured = identity == null ? builder.usePlaintext() : builder.sslContext(identity.client());
    return secured.build();
  }

  private void stop(int status) {
    if (!running.tryAcquire()) {
      return;
    }
    clock.schedule(() -> Runtime.getRuntime().halt(status), CLEANUP_MS, TimeUnit.MILLISECONDS);
    // In a thread of its own: hooks may wait for the one that brought us here.
    new Thread(() -> {
      servers.forEach((server, path) -> {
        // Not a graceful stop: that waits for the host's two permanent streams.
        server.shutdownNow();
        path.toFile().delete();
      });
      // A JVM that ends waits 300 ms for threads that wait for the network.
      threads.shutdownGracefully(0, 0, TimeUnit.SECONDS).awaitUninterruptibly(ANSWER_MS);
      System.exit(status);
    }).start();
  }

  /** The highest version that both sides speak; else our lowest, for the host to refuse. */
  private int choose() {
    List<String> offered = List.of(variable("PLUGIN_PROTOCOL_VERSIONS", "").split(","));
    return versions.keySet().stream()
        .filter(ours -> offered.contains(String.valueOf(ours)))
        .max(Integer::compare)
        .orElseGet(versions::firstKey);
  }

  private static String variable(String name, String otherwise) {
    String value = System.getenv(name);
    return value == null || value.isEmpty() ? otherwise : value;
  }

  private static Optional<Long> parent() {
    return ProcessHandle.current().parent().map(ProcessHandle::pid);
  }

  private static void die(String message) {
    System.err.println(message);
    Runtime.getRuntime().halt(1);
  }

  /** Our key and certificate, and the host's. */
  private static final class Identity {
    private static final java.util.regex.Pattern CERTIFICATE =
        java.util.regex.Pattern.compile("-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----");
    private final PrivateKey key;
    private final X509Certificate certificate;
    private final X509TrustManager host;
    final String encoded;

    Identity(String hostPem) throws GeneralSecurityException, IOException {
      CertificateFactory factory = CertificateFactory.getInstance("X.509");
      var blocks = CERTIFICATE.matcher(hostPem).results().map(block -> block.group() + "\n");
      byte[] pem = blocks.reduce("", String::concat).getBytes(StandardCharsets.UTF_8);
      host = new Pin(factory.generateCertificates(new ByteArrayInputStream(pem)));
      KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
      generator.initialize(new ECGenParameterSpec("secp256r1"));
      KeyPair pair = generator.generateKeyPair();
      key = pair.getPrivate();
      byte[] der = selfSigned(pair);
      certificate = (X509Certificate) factory.generateCertificate(new ByteArrayInputStream(der));
      encoded = Base64.getEncoder().withoutPadding().encodeToString(der);
    }

    SslContext server() throws SSLException {
      return done(SslContextBuilder.forServer(key, certificate).clientAuth(ClientAuth.REQUIRE));
    }

    SslContext client() throws SSLException {
      // By itself JSSE sends no name without a dot.
      SNIHostName localhost = new SNIHostName("localhost");
      return done(SslContextBuilder.forClient().keyManager(key, certificate).serverName(localhost));
    }

    private SslContext done(SslContextBuilder builder) throws SSLException {
      // JSSE, as BoringSSL refuses the P-521 of Go hosts. JKS, as Netty keeps the
      // key in a store, and the default store takes its time over encryption.
      return GrpcSslContexts.configure(builder, SslProvider.JDK)
          .keyStoreType("JKS")
          .trustManager(host)
          .build();
    }

    /** A certificate for {@code localhost}, in DER, good for both roles in TLS. */
    private static byte[] selfSigned(KeyPair pair) throws GeneralSecurityException, IOException {
      X500Name name = new X500Name("O=Outrigger,CN=localhost");
      var algorithm = new AlgorithmIdentifier(X9ObjectIdentifiers.ecdsa_with_SHA256);
      Instant now = Instant.now();
      ExtensionsGenerator extensions = new ExtensionsGenerator();
      extensions.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
      extensions.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
      KeyPurposeId[] roles = {KeyPurposeId.id_kp_clientAuth, KeyPurposeId.id_kp_serverAuth};
      extensions.addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(roles));
      var localhost = new GeneralNames(new GeneralName(GeneralName.dNSName, "localhost"));
      extensions.addExtension(Extension.subjectAlternativeName, false, localhost);
      V3TBSCertificateGenerator generator = new V3TBSCertificateGenerator();
      generator.setSerialNumber(new ASN1Integer(new BigInteger(127, new SecureRandom()).setBit(0)));
      generator.setSignature(algorithm);
      generator.setIssuer(name);
      generator.setSubject(name);
      generator.setStartDate(new Time(Date.from(now.minusSeconds(30))));
      generator.setEndDate(new Time(Date.from(now.plusSeconds(30L * 365 * 86_400))));
      byte[] spki = pair.getPublic().getEncoded();
      generator.setSubjectPublicKeyInfo(SubjectPublicKeyInfo.getInstance(spki));
      generator.setExtensions(extensions.generate());
      TBSCertificate unsigned = generator.generateTBSCertificate();
      Signature signature = Signature.getInstance("SHA256withECDSA");
      signature.initSign(pair.getPrivate());
      signature.update(unsigned.getEncoded(ASN1Encoding.DER));
      ASN1Encodable[] parts = {unsigned, algorithm, new DERBitString(signature.sign())};
      return new DERSequence(parts).getEncoded(ASN1Encoding.DER);
    }
  }

  /**
   * Trusts the host's certificate, compared byte for byte, and no other. The handshake proves that
   * the peer has its key; a root would let in what that key signed, too. No issuers are named, as a
   * Go client may keep its certificate back when it does not find its own among them.
   */
  private static final class Pin implements X509TrustManager {
    private final Collection<? extends java.security.cert.Certificate> trusted;

    Pin(Collection<? extends java.security.cert.Certificate> trusted) throws CertificateException {
      if (trusted.isEmpty()) {
        throw new CertificateException("PLUGIN_CLIENT_CERT holds none in PEM");
      }
      this.trusted = trusted;
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      // Certificates are equal when their bytes are.
      if (chain.length == 0 || !trusted.contains(chain[0])) {
        throw new CertificateException("the peer is not the host that started this plugin");
      }
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      checkServerTrusted(chain, type);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }

  /** Serving from the first moment to the last. */
  private static final class Health extends HealthGrpc.HealthImplBase {
    private static final Set<String> KNOWN = Set.of("", "plugin");

    private static HealthCheckResponse response(ServingStatus status) {
      return HealthCheckResponse.newBuilder().setStatus(status).build();
    }

    @Override
    public void check(HealthCheckRequest request, StreamObserver<HealthCheckResponse> answer) {
      if (KNOWN.contains(request.getService())) {
        answer.onNext(response(ServingStatus.SERVING));
        answer.onCompleted();
      } else {
        answer.onError(Status.NOT_FOUND.withDescription("no such service here").asException());
      }
    }

    @Override
    public void watch(HealthCheckRequest request, StreamObserver<HealthCheckResponse> answer) {
      boolean known = KNOWN.contains(request.getService());
      answer.onNext(response(known ? ServingStatus.SERVING : ServingStatus.SERVICE_UNKNOWN));
    }
  }

  /** Ends the plugin when the host asks for it. */
  private final class Controller extends GRPCControllerGrpc.GRPCControllerImplBase {
    @Override
    public void shutdown(
        GrpcController.Empty request, StreamObserver<GrpcController.Empty> answer) {
      answer.onNext(GrpcController.Empty.getDefaultInstance());
      answer.onCompleted();
      clock.schedule(() -> stop(0), ANSWER_MS, TimeUnit.MILLISECONDS);
    }
  }

  /** Streams what the plugin prints to its host. */
  private static final class Stdio extends GRPCStdioGrpc.GRPCStdioImplBase {
    @Override
    public void streamStdio(com.google.protobuf.Empty request, StreamObserver<StdioData> answer) {
      OUTPUT.read((ServerCallStreamObserver<StdioData>) answer);
    }
  }

  /** Takes the place of {@code System.out}; a host that does not read loses the oldest pieces. */
  private static final class Output extends OutputStream {
    private static final int PIECE = 1024; // bytes, the protocol's habit
    private static final int KEPT = 1024; // pieces
    private final ArrayDeque<byte[]> pieces = new ArrayDeque<>();
    private ServerCallStreamObserver<StdioData> reader;

    @Override
    public void write(int octet) {
      write(new byte[] {(byte) octet}, 0, 1);
    }

    @Override
    public synchronized void write(byte[] data, int offset, int length) {
      for (int at = offset; at < offset + length; at += PIECE) {
        pieces.add(Arrays.copyOfRange(data, at, Math.min(at + PIECE, offset + length)));
        if (pieces.size() > KEPT) {
          pieces.remove();
        }
      }
      send();
    }

    /** Sends to one call at a time, the newest. */
    synchronized void read(ServerCallStreamObserver<StdioData> call) {
      reader = call;
      call.setOnCancelHandler(() -> leave(call));
      call.setOnReadyHandler(this::send);
    }

    private synchronized void leave(ServerCallStreamObserver<StdioData> call) {
      reader = reader == call ? null : reader;
    }

    private synchronized void send() {
      while (reader != null && reader.isReady() && !reader.isCancelled() && !pieces.isEmpty()) {
        var piece = StdioData.newBuilder().setChannel(StdioData.Channel.STDOUT);
        reader.onNext(piece.setData(ByteString.copyFrom(pieces.remove())).build());
      }
    }
  }

  /** Writes to the plugin's log: trace, debug, info, warn or error, with any fields. */
  public static void log(String level, String module, String message, Map<String, ?> fields) {
    // Its stream forgets errors: a host that reads no log does not end the plugin.
    System.err.println(record(level, module, message, fields));
  }

  /** One JSON object in one line, in the form that go-plugin hosts sort by level. */
  private static String record(String level, String module, String message, Map<String, ?> fields) {
    JsonObject record = new JsonObject();
    fields.forEach((key, value) -> record.addProperty(key, String.valueOf(value)));
    record.addProperty("@level", level);
    record.addProperty("@message", message);
    record.addProperty("@module", module);
    record.addProperty("@timestamp", TIMESTAMP.format(Instant.now()));
    // ASCII alone, whatever encoding the machine has.
    StringBuilder line = new StringBuilder();
    for (char unit : record.toString().toCharArray()) {
      line.append(unit < 0x7f ? String.valueOf(unit) : String.format("\\u%04x", (int) unit));
    }
    if (line.length() <= LONGEST_RECORD) {
      return line.toString();
    }
    // Escaped, a character takes at most six bytes.
    String cut = message.substring(0, Math.min(message.length(), LONGEST_RECORD / 8));
    return record(level, module, cut + " (cut)", Map.of());
  }

  /** Brings what is logged with {@code java.util.logging} into that form. */
  private static final class HostFormatter extends java.util.logging.Formatter {
    @Override
    public String format(LogRecord record) {
      int value = record.getLevel().intValue();
      String level =
          value >= Level.SEVERE.intValue() ? "error"
              : value >= Level.WARNING.intValue() ? "warn"
              : value >= Level.INFO.intValue() ? "info"
              : value >= Level.FINE.intValue() ? "debug" : "trace";
      Throwable thrown = record.getThrown();
      String trace = thrown == null ? "" : "\n" + getStackTraceAsString(thrown);
      String module = Objects.requireNonNullElse(record.getLoggerName(), "");
      return record(level, module, formatMessage(record) + trace, Map.of()) + "\n";
    }
  }
}
