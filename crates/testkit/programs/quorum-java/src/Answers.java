import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.Callable;
import proto_common.Init.PluginInitialization;
import proto_common.PluginInitializerGrpc.PluginInitializerImplBase;

/** How calls are answered, by all plugins alike. */
final class Answers {
  private Answers() {}

  /** Answers with what a call gives, or with its fault. */
  static <T> void give(StreamObserver<T> answer, Callable<T> call) {
    try {
      T value = call.call();
      answer.onNext(value);
      answer.onCompleted();
    } catch (StatusRuntimeException fault) {
      answer.onError(fault);
    } catch (Exception fault) {
      answer.onError(Status.INTERNAL.withDescription(fault.getMessage()).asRuntimeException());
    }
  }

  static StatusRuntimeException invalid(String text) {
    return Status.INVALID_ARGUMENT.withDescription(text).asRuntimeException();
  }

  /** What a call finds before Init. */
  static StatusRuntimeException early() {
    return Status.UNAVAILABLE.withDescription("not configured").asRuntimeException();
  }

  /** A config, which is an object; nothing is an empty one. Its text is in no error. */
  static JsonObject config(ByteString raw) {
    try {
      String text = raw.isEmpty() ? "{}" : raw.toStringUtf8();
      return JsonParser.parseString(text).getAsJsonObject();
    } catch (RuntimeException fault) {
      throw invalid("the config is not the JSON that was expected");
    }
  }

  static String text(JsonObject object, String name, String otherwise) {
    return object.has(name) ? object.get(name).getAsString() : otherwise;
  }

  /** What a plugin does with its config. */
  interface Configure {
    void take(JsonObject config, String hostIdentity) throws Exception;
  }

  /** The service that a host calls first. */
  static PluginInitializerImplBase initialiser(Configure configure) {
    return new PluginInitializerImplBase() {
      @Override
      public void init(
          PluginInitialization.Request request,
          StreamObserver<PluginInitialization.Response> answer) {
        give(answer, () -> {
          try {
            configure.take(config(request.getRawConfiguration()), request.getHostIdentity());
          } catch (StatusRuntimeException fault) {
            throw fault;
          } catch (RuntimeException fault) {
            throw invalid("the config is not the JSON that was expected");
          }
          return PluginInitialization.Response.getDefaultInstance();
        });
      }
    };
  }
}
