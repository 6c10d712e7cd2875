import dev.outrigger.OutriggerPlugin;
import io.grpc.BindableService;
import io.grpc.ManagedChannel;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.nio.file.Path;
import java.util.*;
import java.util.concurrent.*;
import plugin.GRPCBrokerGrpc;
import plugin.GrpcBroker.ConnInfo;

/**
 * go-plugin's broker, as a plugin has it: connections beside the main one, in both directions, each
 * on a Unix socket of its own.
 */
final class Broker extends GRPCBrokerGrpc.GRPCBrokerImplBase {
  /** How long an announcement may take, or wait to be claimed. */
  private static final long WAIT_SECONDS = 5;
  /** Announcements that nobody has claimed, and what waits for the stream. */
  private static final int KEPT = 1024;

  private final OutriggerPlugin plugin;
  /** By id: the host's announcement, once it is there, for one dial. */
  private final Map<Integer, CompletableFuture<ConnInfo>> announced = new HashMap<>();
  private final List<ConnInfo> unsent = new ArrayList<>();
  private StreamObserver<ConnInfo> host;
  private boolean closed;
  private int lastId;

  Broker(OutriggerPlugin plugin) {
    this.plugin = plugin;
  }

  /** An id for {@link #serve}, to be told to the host. */
  synchronized int nextId() {
    return ++lastId;
  }

  /** Serves services to the host under an id. */
  void serve(int id, List<BindableService> services) throws IOException {
    Path socket = plugin.listen(services);
    ConnInfo.Builder info = ConnInfo.newBuilder().setServiceId(id).setNetwork("unix");
    send(info.setAddress(socket.toString()).build());
  }

  /** A channel to the service that the host named, once. */
  ManagedChannel dial(int id) throws IOException {
    CompletableFuture<ConnInfo> announcement = announcement(id);
    try {
      ConnInfo info = announcement.get(WAIT_SECONDS, TimeUnit.SECONDS);
      if (!info.getNetwork().equals("unix")) {
        throw new IOException("broker id " + id + " is on " + info.getNetwork() + ", not on unix");
      }
      return plugin.dial(Path.of(info.getAddress()));
    } catch (TimeoutException | ExecutionException | InterruptedException error) {
      throw new IOException("broker id " + id + " was not announced", error);
    } finally {
      forget(id, announcement);
    }
  }

  /** The host's one stream; what had to wait for it goes out first. */
  @Override
  public synchronized StreamObserver<ConnInfo> startStream(StreamObserver<ConnInfo> answers) {
    host = answers;
    unsent.forEach(host::onNext);
    unsent.clear();
    return new StreamObserver<>() {
      @Override
      public void onNext(ConnInfo info) {
        receive(info);
      }

      @Override
      public void onError(Throwable error) {
        close();
      }

      @Override
      public void onCompleted() {
        close();
        answers.onCompleted();
      }
    };
  }

  private synchronized void receive(ConnInfo info) {
    int id = info.getServiceId();
    if (announced.size() >= KEPT && !announced.containsKey(id)) {
      return;
    }
    CompletableFuture<ConnInfo> announcement =
        announced.computeIfAbsent(id, none -> new CompletableFuture<>());
    announcement.complete(info);
    CompletableFuture.delayedExecutor(WAIT_SECONDS, TimeUnit.SECONDS)
        .execute(() -> forget(id, announcement));
  }

  private synchronized CompletableFuture<ConnInfo> announcement(int id) throws IOException {
    requireOpen();
    return announced.computeIfAbsent(id, none -> new CompletableFuture<>());
  }

  private synchronized void forget(int id, CompletableFuture<ConnInfo> announcement) {
    announced.remove(id, announcement);
  }

  private synchronized void send(ConnInfo info) throws IOException {
    requireOpen();
    if (host != null) {
      host.onNext(info);
    } else if (unsent.size() < KEPT) {
      unsent.add(info);
    } else {
      throw new IOException("the host has opened no stream for the broker");
    }
  }

  private void requireOpen() throws IOException {
    if (closed) {
      throw new IOException("the broker is closed");
    }
  }

  private synchronized void close() {
    closed = true;
    IOException error = new IOException("the broker is closed");
    announced.values().forEach(waiting -> waiting.completeExceptionally(error));
    announced.clear();
  }
}
