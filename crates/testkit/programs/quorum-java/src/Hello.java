import io.grpc.BindableService;
import io.grpc.stub.StreamObserver;
import java.util.List;
import java.util.Map;
import proto.Helloworld.PluginHelloWorld;
import proto.PluginGreetingGrpc.PluginGreetingImplBase;

/** Greets in English or Spanish; as the public one in Java, without an exclamation mark. */
final class Hello extends PluginGreetingImplBase {
  private static final Map<String, String> WORDS = Map.of("en", "Hello", "es", "Hola");
  private volatile String word;

  static List<BindableService> services() {
    Hello hello = new Hello();
    return List.of(Answers.initialiser((config, identity) -> {
      String language = Answers.text(config, "language", "");
      if (!WORDS.containsKey(language)) {
        throw Answers.invalid("unsupported language");
      }
      hello.word = WORDS.get(language);
    }), hello);
  }

  @Override
  public void greeting(
      PluginHelloWorld.Request request, StreamObserver<PluginHelloWorld.Response> answer) {
    Answers.give(answer, () -> {
      if (word == null) {
        throw Answers.early();
      }
      return PluginHelloWorld.Response.newBuilder().setMsg(word + " " + request.getMsg()).build();
    });
  }
}
