import com.google.gson.JsonParser;
import dev.outrigger.OutriggerPlugin;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.*;
import proto.Helloworld.PluginHelloWorld;
import proto.PluginGreetingGrpc.PluginGreetingImplBase;
import proto_common.Init.PluginInitialization.*;
import proto_common.PluginInitializerGrpc.PluginInitializerImplBase;

/** The hello-world plugin in Java: initialised with a language, it greets in it. */
public final class Hello extends PluginInitializerImplBase {
  private static final Map<String, String> GREETINGS =
      Map.of("en", "Hello {msg}!", "es", "Hola {msg}!", "de", "Hallo {msg}!");
  private volatile String greeting; // none until Init has chosen one
  /** Takes {"language": "en"}; without a config the language is English. */
  @Override
  public void init(Request request, StreamObserver<Response> answer) {
    String config = request.getRawConfiguration().toStringUtf8();
    String language;
    try {
      var object = JsonParser.parseString(config.isEmpty() ? "{}" : config).getAsJsonObject();
      language = object.has("language") ? object.get("language").getAsString() : "en";
    } catch (RuntimeException notThatJson) {
      language = ""; // refused below, without this error's text: it shows the config
    }
    greeting = GREETINGS.get(language);
    if (greeting == null) {
      String fault = "language \"" + language + "\" is not known; choose en, es or de";
      answer.onError(Status.INVALID_ARGUMENT.withDescription(fault).asException());
    } else {
      // What a plugin prints reaches its host as standard output.
      System.out.println("greeting in " + language + " for " + request.getHostIdentity());
      answer.onNext(Response.getDefaultInstance());
      answer.onCompleted();
    }
  }

  /** Answers in the language that Init chose. */
  final class Greeter extends PluginGreetingImplBase {
    @Override
    public void greeting(
        PluginHelloWorld.Request request, StreamObserver<PluginHelloWorld.Response> answer) {
      if (greeting == null) {
        Status early = Status.FAILED_PRECONDITION.withDescription("Init comes before Greeting");
        answer.onError(early.asException());
      } else {
        String text = greeting.replace("{msg}", request.getMsg());
        answer.onNext(PluginHelloWorld.Response.newBuilder().setMsg(text).build());
        answer.onCompleted();
      }
    }
  }

  public static void main(String[] arguments) {
    Hello hello = new Hello();
    new OutriggerPlugin().version(1, plugin -> List.of(hello, hello.new Greeter())).serve();
  }
}
