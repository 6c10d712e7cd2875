import com.google.protobuf.ByteString;
import dev.outrigger.OutriggerPlugin;
import dev.outrigger.probe.v1.*;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.util.*;
import java.util.concurrent.TimeUnit;

/**
 * The Java plugin of the interop matrix: GoQuorum's hello world and the probe, with the broker in
 * both directions, on the file that authors copy.
 */
public final class Interop extends ProbeGrpc.ProbeImplBase {
  /** What the plugin takes in one message; grpc-java's own limit is 4 MiB. */
  private static final int LARGEST = 64 << 20;

  private static final long CALL_SECONDS = 10;
  private static final Set<String> LEVELS = Set.of("trace", "debug", "info", "warn", "error");

  private final OutriggerPlugin plugin;
  private final Broker broker;

  private Interop(OutriggerPlugin plugin, Broker broker) {
    this.plugin = plugin;
    this.broker = broker;
  }

  public static void main(String[] arguments) {
    OutriggerPlugin plugin = new OutriggerPlugin().largestMessage(LARGEST);
    List<String> given = List.of(arguments);
    int flag = given.indexOf("-versions");
    for (String version : flag < 0 ? new String[] {"1"} : given.get(flag + 1).split(",")) {
      plugin.version(Integer.parseInt(version), Interop::services);
    }
    plugin.serve();
  }

  private static List<io.grpc.BindableService> services(OutriggerPlugin plugin) {
    Broker broker = new Broker(plugin);
    Hello hello = new Hello();
    return List.of(hello, hello.new Greeter(), broker, new Interop(plugin, broker));
  }

  @Override
  public void echo(Payload request, StreamObserver<Payload> answer) {
    reply(answer, request);
  }

  @Override
  public StreamObserver<Payload> echoStream(StreamObserver<Payload> answers) {
    return new StreamObserver<>() {
      @Override
      public void onNext(Payload payload) {
        answers.onNext(payload);
      }

      @Override
      public void onError(Throwable error) {
        // The host has gone.
      }

      @Override
      public void onCompleted() {
        answers.onCompleted();
      }
    };
  }

  @Override
  public void print(PrintRequest request, StreamObserver<PrintResponse> answer) {
    System.out.writeBytes(request.getStdout().toByteArray());
    System.out.flush();
    System.err.writeBytes(request.getStderr().toByteArray());
    System.err.flush();
    reply(answer, PrintResponse.getDefaultInstance());
  }

  @Override
  public void log(LogRequest request, StreamObserver<LogResponse> answer) {
    if (!LEVELS.contains(request.getLevel())) {
      Status status = Status.INVALID_ARGUMENT.withDescription("the level is not known");
      answer.onError(status.asException());
      return;
    }
    OutriggerPlugin.log(
        request.getLevel(), "interop", request.getMessage(), request.getFieldsMap());
    reply(answer, LogResponse.getDefaultInstance());
  }

  @Override
  public void callHost(CallHostRequest request, StreamObserver<Payload> answer) {
    ManagedChannel channel;
    try {
      channel = broker.dial(request.getBrokerId());
    } catch (IOException error) {
      answer.onError(Status.UNAVAILABLE.withDescription(error.getMessage()).asException());
      return;
    }
    try {
      Payload question = Payload.newBuilder().setData(request.getData()).build();
      AnswerGrpc.AnswerBlockingStub host = AnswerGrpc.newBlockingStub(channel);
      reply(answer, host.withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS).ask(question));
    } catch (io.grpc.StatusRuntimeException error) {
      answer.onError(error);
    } finally {
      channel.shutdownNow();
    }
  }

  @Override
  public void offer(OfferRequest request, StreamObserver<OfferResponse> answer) {
    int id = broker.nextId();
    try {
      if (!request.getSilent()) {
        broker.serve(id, List.of(new Answers()));
      }
      reply(answer, OfferResponse.newBuilder().setBrokerId(id).build());
    } catch (IOException error) {
      answer.onError(Status.UNAVAILABLE.withDescription(error.getMessage()).asException());
    }
  }

  @Override
  public void describe(DescribeRequest request, StreamObserver<DescribeResponse> answer) {
    DescribeResponse.Builder response = DescribeResponse.newBuilder();
    response.setProtocolVersion(plugin.version()).setMutualTls(plugin.mutualTls());
    reply(answer, response.setPid((int) ProcessHandle.current().pid()).build());
  }

  private static <T> void reply(StreamObserver<T> answer, T response) {
    answer.onNext(response);
    answer.onCompleted();
  }

  /** What the plugin serves under an id of the broker. */
  private static final class Answers extends AnswerGrpc.AnswerImplBase {
    @Override
    public void ask(Payload question, StreamObserver<Payload> answer) {
      ByteString data = ByteString.copyFromUtf8("plugin:").concat(question.getData());
      reply(answer, Payload.newBuilder().setData(data).build());
    }
  }
}
