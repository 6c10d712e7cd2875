import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.math.BigInteger;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import java.security.spec.RSAPublicKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/** Checks web tokens against the key set of an authorisation server. */
final class WebTokens {
  private static final Duration LIMIT = Duration.ofSeconds(10);
  /** How far clocks may be apart, in seconds. */
  private static final long LEEWAY = 60;
  /** The signature's name and the key's kind, for each algorithm that is taken. */
  private static final Map<String, String[]> ALGORITHMS =
      Map.of(
          "RS256", new String[] {"SHA256withRSA", "RSA"},
          "ES256", new String[] {"SHA256withECDSAinP1363Format", "EC"});

  /** When a good token ends, in seconds since 1970, and what it allows. */
  record Verified(long end, List<String> scopes) {}

  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(LIMIT).build();
  private final URI endpoint;
  private final List<String> issuers;
  private final String audience;
  private final String field;

  WebTokens(URI endpoint, List<String> issuers, String audience, String field) {
    this.endpoint = endpoint;
    this.issuers = issuers;
    this.audience = audience;
    this.field = field;
  }

  /** The token of a whole Authorization header. */
  static String bearer(String header) {
    String[] parts = header.split("\\s", 2);
    if (parts.length < 2) {
      throw Answers.invalid("invalid token format");
    }
    if (!parts[0].equalsIgnoreCase("bearer")) {
      throw Answers.invalid("invalid token type [" + parts[0] + "], expected BEARER token");
    }
    return parts[1].strip();
  }

  Verified verify(String token) {
    try {
      return verified(token);
    } catch (StatusRuntimeException fault) {
      throw fault;
    } catch (Exception fault) {
      throw denied("the token cannot be verified: " + fault.getClass().getSimpleName());
    }
  }

  private Verified verified(String token) throws Exception {
    String[] parts = token.split("\\.", -1);
    if (parts.length != 3) {
      throw denied("the token has not three parts");
    }
    JsonObject header = object(parts[0]);
    String[] names = ALGORITHMS.get(Answers.text(header, "alg", ""));
    if (names == null) {
      throw denied("the token is signed by another algorithm than RS256 and ES256");
    }
    Signature signature = Signature.getInstance(names[0]);
    signature.initVerify(key(names[1], Answers.text(header, "kid", "")));
    signature.update((parts[0] + "." + parts[1]).getBytes(StandardCharsets.US_ASCII));
    if (!signature.verify(decoded(parts[2]))) {
      throw denied("failed to verify token signature");
    }
    JsonObject claims = object(parts[1]);
    long now = Instant.now().getEpochSecond();
    if (!issuers.contains(Answers.text(claims, "iss", ""))) {
      throw denied("validation failed, invalid issuer claim (iss)");
    }
    if (!texts(claims.get("aud")).contains(audience)) {
      throw denied("validation failed, invalid audience claim (aud)");
    }
    if (!claims.has("exp") || claims.get("exp").getAsLong() + LEEWAY < now) {
      throw denied("validation failed, token is expired (exp)");
    }
    if (claims.has("nbf") && claims.get("nbf").getAsLong() - LEEWAY > now) {
      throw denied("validation failed, token not valid yet (nbf)");
    }
    return new Verified(claims.get("exp").getAsLong(), texts(claims.get(field)));
  }

  /** The key of this kind and name in the set. */
  private PublicKey key(String kind, String name) throws Exception {
    HttpRequest request = HttpRequest.newBuilder(endpoint).timeout(LIMIT).build();
    String body = client.send(request, HttpResponse.BodyHandlers.ofString()).body();
    for (JsonElement element : JsonParser.parseString(body).getAsJsonObject().getAsJsonArray("keys")) {
      JsonObject key = element.getAsJsonObject();
      if (Answers.text(key, "kty", "").equals(kind) && Answers.text(key, "kid", "").equals(name)) {
        return kind.equals("RSA") ? rsa(key) : ec(key);
      }
    }
    throw denied("failed to verify token signature: the key set has no key " + name);
  }

  private static PublicKey rsa(JsonObject key) throws GeneralSecurityException {
    var numbers = new RSAPublicKeySpec(number(key, "n"), number(key, "e"));
    return KeyFactory.getInstance("RSA").generatePublic(numbers);
  }

  private static PublicKey ec(JsonObject key) throws GeneralSecurityException {
    AlgorithmParameters curve = AlgorithmParameters.getInstance("EC");
    curve.init(new ECGenParameterSpec("secp256r1"));
    ECPoint point = new ECPoint(number(key, "x"), number(key, "y"));
    var spec = new ECPublicKeySpec(point, curve.getParameterSpec(ECParameterSpec.class));
    return KeyFactory.getInstance("EC").generatePublic(spec);
  }

  private static BigInteger number(JsonObject key, String name) {
    return new BigInteger(1, decoded(key.get(name).getAsString()));
  }

  private static JsonObject object(String part) {
    String text = new String(decoded(part), StandardCharsets.UTF_8);
    return JsonParser.parseString(text).getAsJsonObject();
  }

  private static byte[] decoded(String part) {
    return Base64.getUrlDecoder().decode(part);
  }

  /** A list of texts, or one with spaces between. */
  private static List<String> texts(JsonElement claim) {
    List<String> texts = new ArrayList<>();
    if (claim instanceof JsonArray list) {
      list.forEach(element -> texts.add(element.getAsString()));
    } else if (claim != null) {
      texts.addAll(List.of(claim.getAsString().strip().split("\\s+")));
    }
    return texts;
  }

  private static StatusRuntimeException denied(String text) {
    return Status.PERMISSION_DENIED.withDescription(text).asRuntimeException();
  }
}
