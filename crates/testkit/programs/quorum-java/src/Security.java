import com.google.gson.JsonObject;
import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import io.grpc.BindableService;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import proto.AuthenticationManagerGrpc.AuthenticationManagerImplBase;
import proto.Security.AuthenticationToken;
import proto.Security.GrantedAuthority;
import proto.Security.PreAuthenticatedAuthenticationToken;
import proto.Security.TLSConfiguration;
import proto.TLSConfigurationSourceGrpc.TLSConfigurationSourceImplBase;

/**
 * Judges web tokens, and has a certificate for the node's RPC servers. A part that is not
 * configured answers UNIMPLEMENTED, from which the node learns that there is none.
 */
final class Security {
  /** As IANA numbers them; those of the plugin in Go that TLS 1.2 in Java has too. */
  private static final Map<String, Integer> SUITES =
      Map.of(
          "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", 0xc02b,
          "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", 0xc02c,
          "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", 0xc02f,
          "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", 0xc030,
          "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", 0xc00a,
          "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", 0xc014);
  private static final List<Integer> DEFAULT_SUITES = List.of(0xc030, 0xc02c, 0xc014, 0xc00a);

  private volatile Path certFile;
  private volatile Path keyFile;
  private volatile List<Integer> suites = List.of();
  private volatile WebTokens tokens;

  static List<BindableService> services() {
    Security security = new Security();
    return List.of(
        Answers.initialiser(security::configure), security.new Source(), security.new Manager());
  }

  private void configure(JsonObject config, String hostIdentity) {
    JsonObject tls = config.getAsJsonObject("tls");
    JsonObject validation = config.getAsJsonObject("tokenValidation");
    if (tls == null && validation == null) {
      throw Answers.invalid("invalid configuration: 'tls' block and/or 'tokenValidation' block must be configured");
    }
    if (tls != null) {
      certFile = file(tls, "certFile", "cert file");
      keyFile = file(tls, "keyFile", "key file");
      suites = suites(tls.getAsJsonObject("advanced"));
    }
    if (validation != null) {
      if (hostIdentity.isEmpty()) {
        throw Answers.invalid("missing geth node name");
      }
      JsonObject jws = validation.getAsJsonObject("jws");
      if (jws == null || !jws.has("endpoint")) {
        throw Answers.invalid("invalid configuration: missing introspect/jws configuration");
      }
      List<String> issuers = new ArrayList<>();
      if (validation.has("issuers")) {
        validation.getAsJsonArray("issuers").forEach(issuer -> issuers.add(issuer.getAsString()));
      }
      if (issuers.isEmpty()) {
        issuers.add("http://goquorum.com/oauth");
      }
      JsonObject jwt = validation.getAsJsonObject("jwt");
      String field = jwt == null ? "scope" : Answers.text(jwt, "authorizationField", "scope");
      URI endpoint = URI.create(jws.get("endpoint").getAsString());
      tokens = new WebTokens(endpoint, issuers, hostIdentity, field);
    }
  }

  private static Path file(JsonObject tls, String name, String what) {
    Path path = Path.of(Answers.text(tls, name, name));
    if (!Files.exists(path)) {
      throw Answers.invalid("invalid configuration: " + what + " [" + path + "] does not exist");
    }
    return path;
  }

  private static List<Integer> suites(JsonObject advanced) {
    if (advanced == null || !advanced.has("cipherSuites")) {
      return DEFAULT_SUITES;
    }
    List<Integer> numbers = new ArrayList<>();
    advanced.getAsJsonArray("cipherSuites").forEach(name -> {
      Integer number = SUITES.get(name.getAsString());
      if (number == null) {
        throw Answers.invalid("not supported cipher suite " + name.getAsString());
      }
      numbers.add(number);
    });
    return numbers;
  }

  private static RuntimeException absent() {
    return Status.UNIMPLEMENTED.withDescription("no configuration").asRuntimeException();
  }

  /** Reads the files at each call, so that they can be exchanged. */
  private final class Source extends TLSConfigurationSourceImplBase {
    @Override
    public void get(
        TLSConfiguration.Request request, StreamObserver<TLSConfiguration.Response> answer) {
      Answers.give(answer, () -> {
        if (certFile == null) {
          throw absent();
        }
        TLSConfiguration.Data data =
            TLSConfiguration.Data.newBuilder()
                .setCertPem(ByteString.copyFrom(Files.readAllBytes(certFile)))
                .setKeyPem(ByteString.copyFrom(Files.readAllBytes(keyFile)))
                .addAllCipherSuites(suites)
                .build();
        return TLSConfiguration.Response.newBuilder().setData(data).build();
      });
    }
  }

  private final class Manager extends AuthenticationManagerImplBase {
    @Override
    public void authenticate(
        AuthenticationToken request, StreamObserver<PreAuthenticatedAuthenticationToken> answer) {
      Answers.give(answer, () -> {
        if (tokens == null) {
          throw absent();
        }
        WebTokens.Verified verified =
            tokens.verify(WebTokens.bearer(request.getRawToken().toStringUtf8()));
        PreAuthenticatedAuthenticationToken.Builder good =
            PreAuthenticatedAuthenticationToken.newBuilder()
                .setRawToken(request.getRawToken())
                .setExpiredAt(Timestamp.newBuilder().setSeconds(verified.end()));
        verified.scopes().forEach(scope -> good.addAuthorities(authority(scope)));
        return good.build();
      });
    }
  }

  /**
   * Reads rpc://SERVICE_METHOD, with a full stop or an underscore and either side left out for
   * all; what is under another scheme is passed on raw.
   */
  private static GrantedAuthority authority(String scope) {
    GrantedAuthority.Builder granted = GrantedAuthority.newBuilder().setRaw(scope);
    if (scope.regionMatches(true, 0, "rpc://", 0, 6)) {
      // As in Go, what is before an @ is a user, and is not looked at.
      String host = scope.substring(6).split("[/?#]", 2)[0];
      String[] parts = host.substring(host.lastIndexOf('@') + 1).split("[._]", 3);
      granted.setService(orAll(parts[0])).setMethod(orAll(parts.length > 1 ? parts[1] : ""));
    }
    return granted.build();
  }

  private static String orAll(String part) {
    return part.isEmpty() ? "*" : part;
  }
}
