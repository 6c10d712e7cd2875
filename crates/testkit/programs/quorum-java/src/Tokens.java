import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.grpc.BindableService;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import proto.PluginQLightTokenRefresherGrpc.PluginQLightTokenRefresherImplBase;
import proto.QlightTokenManager.PluginQLightTokenManager;
import proto.QlightTokenManager.TokenRefresh;

/** Gets tokens from an OAuth2 endpoint for a QLight client. Unlike the one in Go, it can GET. */
final class Tokens extends PluginQLightTokenRefresherImplBase {
  private static final Duration LIMIT = Duration.ofSeconds(10);

  /** Which endpoint is asked, and what: ${PSI} in a parameter stands for the private state. */
  private record Config(
      URI url, String method, int anticipation, Map<String, String> parameters) {}

  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(LIMIT).build();
  private volatile Config config;

  static List<BindableService> services() {
    Tokens tokens = new Tokens();
    return List.of(Answers.initialiser((read, identity) -> tokens.config = config(read)), tokens);
  }

  private static Config config(JsonObject read) {
    // As in the one in Go, the case of names does not matter.
    JsonObject config = new JsonObject();
    read.entrySet().forEach(entry -> config.add(entry.getKey().toLowerCase(), entry.getValue()));
    String url = Answers.text(config, "url", "");
    String method = Answers.text(config, "method", "");
    if (url.isEmpty() || method.isEmpty()) {
      throw Answers.invalid((url.isEmpty() ? "url" : "method") + " must be provided");
    }
    if (Answers.text(config, "tlsskipverify", "false").equals("true")) {
      throw Answers.invalid("this program verifies certificates");
    }
    String anticipation = Answers.text(config, "refreshanticipationinmillisecond", "0");
    Map<String, String> parameters = new TreeMap<>();
    if (config.has("parameters")) {
      config.getAsJsonObject("parameters").entrySet()
          .forEach(entry -> parameters.put(entry.getKey(), entry.getValue().getAsString()));
    }
    return new Config(URI.create(url), method, Integer.parseInt(anticipation), parameters);
  }

  @Override
  public void pluginQLightTokenManager(
      PluginQLightTokenManager.Request request,
      StreamObserver<PluginQLightTokenManager.Response> answer) {
    Answers.give(answer, () -> {
      int anticipation = Math.max(configured().anticipation, 0);
      return PluginQLightTokenManager.Response.newBuilder()
          .setRefreshAnticipationInMillisecond(anticipation)
          .build();
    });
  }

  @Override
  public void tokenRefresh(
      TokenRefresh.Request request, StreamObserver<TokenRefresh.Response> answer) {
    Answers.give(answer, () -> {
      String current = request.getCurrentToken();
      long left = end(current) - Instant.now().toEpochMilli();
      String token =
          left > configured().anticipation ? current : "bearer " + fetch(request.getPsi());
      return TokenRefresh.Response.newBuilder().setToken(token).build();
    });
  }

  private Config configured() {
    if (config == null) {
      throw Answers.early();
    }
    return config;
  }

  /** When a token ends, in milliseconds since 1970, without judging it; 0 if it does not say. */
  private static long end(String token) {
    String[] parts = token.substring(token.indexOf(' ') + 1).split("\\.");
    try {
      byte[] payload = Base64.getUrlDecoder().decode(parts[1]);
      String text = new String(payload, StandardCharsets.UTF_8);
      return 1000 * JsonParser.parseString(text).getAsJsonObject().get("exp").getAsLong();
    } catch (RuntimeException noToken) {
      return 0;
    }
  }

  private String fetch(String psi) throws Exception {
    HttpResponse<String> response =
        client.send(request(psi), HttpResponse.BodyHandlers.ofString());
    JsonObject answer;
    try {
      answer = JsonParser.parseString(response.body()).getAsJsonObject();
    } catch (RuntimeException fault) {
      throw unknown("the endpoint's answer (" + response.statusCode() + ") is not JSON");
    }
    if (answer.has("error")) {
      String description = Answers.text(answer, "error_description", "");
      throw unknown(answer.get("error").getAsString() + ": " + description);
    }
    if (!answer.has("access_token")) {
      throw unknown("the endpoint answered without a token");
    }
    return answer.get("access_token").getAsString();
  }

  /** Puts the parameters where the method has them: in a form, in the address, or in JSON. */
  private HttpRequest request(String psi) {
    StringBuilder form = new StringBuilder();
    StringBuilder query = new StringBuilder();
    JsonObject json = new JsonObject();
    String boundary = UUID.randomUUID().toString();
    config.parameters.forEach((name, template) -> {
      String value = template.replace("${PSI}", psi);
      form.append("--").append(boundary).append("\r\nContent-Disposition: form-data; name=\"")
          .append(name).append("\"\r\n\r\n").append(value).append("\r\n");
      query.append(query.isEmpty() ? '?' : '&').append(name).append('=')
          .append(URLEncoder.encode(value, StandardCharsets.UTF_8));
      json.addProperty(name, value);
    });
    HttpRequest.Builder builder = HttpRequest.newBuilder(config.url).timeout(LIMIT);
    switch (config.method) {
      case "POST", "PUT" -> builder
          .header("Content-Type", "multipart/form-data; boundary=" + boundary)
          .method(config.method, body(form.append("--").append(boundary).append("--\r\n")));
      case "GET" -> builder.uri(URI.create(config.url + query.toString()));
      default -> builder
          .header("Content-Type", "application/json")
          .method(config.method, body(json));
    }
    return builder.build();
  }

  private static HttpRequest.BodyPublisher body(Object text) {
    return HttpRequest.BodyPublishers.ofString(text.toString());
  }

  private static RuntimeException unknown(String text) {
    return Status.UNKNOWN.withDescription(text).asRuntimeException();
  }
}
