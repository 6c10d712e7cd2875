import grpc.health.v1.HealthGrpc;
import grpc.health.v1.HealthOuterClass.HealthCheckRequest;
import grpc.health.v1.HealthOuterClass.HealthCheckResponse;
import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import java.io.ByteArrayInputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x509.Time;
import org.bouncycastle.asn1.x509.V3TBSCertificateGenerator;

/**
 * A plugin's server in the manner of GoQuorum's public plugin in Java: TCP, an RSA certificate
 * without alternative names, padded base64, and neither controller nor broker nor stdio. Its host
 * can only kill it.
 */
final class PluginServer {
  private static final String COOKIE = "QUORUM_PLUGIN_MAGIC_COOKIE";
  private static final String COOKIE_VALUE =
      "CB9F51969613126D93468868990F77A8470EB9177503C5A38D437FEFF7786E09"
          + "41152E05C06A9A3313391059132A7F9CED86C0783FE63A8B38F01623C8257664";
  private static final long TEN_YEARS = 10L * 365 * 86_400; // seconds
  // The public one has 4,096; how long such a key takes varies too much for tests.
  private static final int RSA_BITS = 2048;

  private PluginServer() {}

  /** Serves until the process is killed. */
  static void serve(List<BindableService> services) throws Exception {
    if (!COOKIE_VALUE.equals(System.getenv(COOKIE))) {
      System.err.println("This is a plugin: it is run by a host, which sets " + COOKIE + ".");
      System.exit(1);
    }
    NettyServerBuilder builder = NettyServerBuilder.forPort(0).addService(new Health());
    services.forEach(builder::addService);
    String certificate = "";
    String host = System.getenv("PLUGIN_CLIENT_CERT");
    if (host != null && !host.isEmpty()) {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
      generator.initialize(RSA_BITS);
      KeyPair pair = generator.generateKeyPair();
      byte[] der = selfSigned(pair);
      var factory = CertificateFactory.getInstance("X.509");
      var own = (X509Certificate) factory.generateCertificate(new ByteArrayInputStream(der));
      SslContextBuilder tls =
          SslContextBuilder.forServer(pair.getPrivate(), own)
              .trustManager(new ByteArrayInputStream(host.getBytes(StandardCharsets.UTF_8)))
              .clientAuth(ClientAuth.REQUIRE);
      builder.sslContext(GrpcSslContexts.configure(tls, SslProvider.JDK).build());
      certificate = Base64.getEncoder().encodeToString(der);
    }
    Server server = builder.build().start();
    System.out.println("1|1|tcp|localhost:" + server.getPort() + "|grpc|" + certificate);
    System.out.flush();
    server.awaitTermination();
  }

  /** A certificate without any extension. */
  private static byte[] selfSigned(KeyPair pair) throws Exception {
    var algorithm =
        new AlgorithmIdentifier(PKCSObjectIdentifiers.sha256WithRSAEncryption, DERNull.INSTANCE);
    X500Name name = new X500Name("CN=localhost,O=quorum-plugin");
    Instant now = Instant.now();
    V3TBSCertificateGenerator generator = new V3TBSCertificateGenerator();
    generator.setSerialNumber(new ASN1Integer(BigInteger.valueOf(now.toEpochMilli())));
    generator.setSignature(algorithm);
    generator.setIssuer(name);
    generator.setSubject(name);
    generator.setStartDate(new Time(Date.from(now)));
    generator.setEndDate(new Time(Date.from(now.plusSeconds(TEN_YEARS))));
    byte[] spki = pair.getPublic().getEncoded();
    generator.setSubjectPublicKeyInfo(SubjectPublicKeyInfo.getInstance(spki));
    var unsigned = generator.generateTBSCertificate();
    Signature signature = Signature.getInstance("SHA256withRSA");
    signature.initSign(pair.getPrivate());
    signature.update(unsigned.getEncoded(ASN1Encoding.DER));
    var all = List.of(unsigned, algorithm, new DERBitString(signature.sign()));
    var sequence = new org.bouncycastle.asn1.ASN1EncodableVector();
    all.forEach(sequence::add);
    return new DERSequence(sequence).getEncoded(ASN1Encoding.DER);
  }

  /** Says that the plugin serves. */
  private static final class Health extends HealthGrpc.HealthImplBase {
    @Override
    public void check(HealthCheckRequest request, StreamObserver<HealthCheckResponse> answer) {
      Answers.give(answer, () -> {
        if (!request.getService().equals("plugin")) {
          throw Status.NOT_FOUND.withDescription("no such service here").asRuntimeException();
        }
        var serving = HealthCheckResponse.ServingStatus.SERVING;
        return HealthCheckResponse.newBuilder().setStatus(serving).build();
      });
    }
  }
}
