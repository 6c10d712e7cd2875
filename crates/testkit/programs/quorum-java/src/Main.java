import io.grpc.BindableService;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** GoQuorum's plugins in Java; the first argument says which of them this is. */
public final class Main {
  private static final Map<String, Supplier<List<BindableService>>> PLUGINS =
      Map.of(
          "helloworld", () -> Hello.services(),
          "account", () -> Accounts.services(),
          "security", () -> Security.services(),
          "qlighttokenmanager", () -> Tokens.services());

  private Main() {}

  public static void main(String[] arguments) throws Exception {
    // The public hello world knows no parameters.
    String name = arguments.length == 0 ? "helloworld" : arguments[0];
    if (!PLUGINS.containsKey(name)) {
      System.err.println("there is no plugin " + name + "; choose one of " + PLUGINS.keySet());
      System.exit(2);
    }
    PluginServer.serve(PLUGINS.get(name).get());
  }
}
