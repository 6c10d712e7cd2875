package dev.outrigger.probe.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * Served on a brokered connection, by the host (prefix "host:") or by the
 * plugin (prefix "plugin:").
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class AnswerGrpc {

  private AnswerGrpc() {}

  public static final java.lang.String SERVICE_NAME = "outrigger.probe.v1.Answer";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<dev.outrigger.probe.v1.Payload,
      dev.outrigger.probe.v1.Payload> getAskMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Ask",
      requestType = dev.outrigger.probe.v1.Payload.class,
      responseType = dev.outrigger.probe.v1.Payload.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.outrigger.probe.v1.Payload,
      dev.outrigger.probe.v1.Payload> getAskMethod() {
    io.grpc.MethodDescriptor<dev.outrigger.probe.v1.Payload, dev.outrigger.probe.v1.Payload> getAskMethod;
    if ((getAskMethod = AnswerGrpc.getAskMethod) == null) {
      synchronized (AnswerGrpc.class) {
        if ((getAskMethod = AnswerGrpc.getAskMethod) == null) {
          AnswerGrpc.getAskMethod = getAskMethod =
              io.grpc.MethodDescriptor.<dev.outrigger.probe.v1.Payload, dev.outrigger.probe.v1.Payload>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Ask"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.lite.ProtoLiteUtils.marshaller(
                  dev.outrigger.probe.v1.Payload.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.lite.ProtoLiteUtils.marshaller(
                  dev.outrigger.probe.v1.Payload.getDefaultInstance()))
              .build();
        }
      }
    }
    return getAskMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static AnswerStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<AnswerStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<AnswerStub>() {
        @java.lang.Override
        public AnswerStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new AnswerStub(channel, callOptions);
        }
      };
    return AnswerStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports all types of calls on the service
   */
  public static AnswerBlockingV2Stub newBlockingV2Stub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<AnswerBlockingV2Stub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<AnswerBlockingV2Stub>() {
        @java.lang.Override
        public AnswerBlockingV2Stub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new AnswerBlockingV2Stub(channel, callOptions);
        }
      };
    return AnswerBlockingV2Stub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static AnswerBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<AnswerBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<AnswerBlockingStub>() {
        @java.lang.Override
        public AnswerBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new AnswerBlockingStub(channel, callOptions);
        }
      };
    return AnswerBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static AnswerFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<AnswerFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<AnswerFutureStub>() {
        @java.lang.Override
        public AnswerFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new AnswerFutureStub(channel, callOptions);
        }
      };
    return AnswerFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * Served on a brokered connection, by the host (prefix "host:") or by the
   * plugin (prefix "plugin:").
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * Answers with the prefix and the same bytes.
     * </pre>
     */
    default void ask(dev.outrigger.probe.v1.Payload request,
        io.grpc.stub.StreamObserver<dev.outrigger.probe.v1.Payload> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getAskMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service Answer.
   * <pre>
   * Served on a brokered connection, by the host (prefix "host:") or by the
   * plugin (prefix "plugin:").
   * </pre>
   */
  public static abstract class AnswerImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return AnswerGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service Answer.
   * <pre>
   * Served on a brokered connection, by the host (prefix "host:") or by the
   * plugin (prefix "plugin:").
   * </pre>
   */
  public static final class AnswerStub
      extends io.grpc.stub.AbstractAsyncStub<AnswerStub> {
    private AnswerStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected AnswerStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new AnswerStub(channel, callOptions);
    }

    /**
     * <pre>
     * Answers with the prefix and the same bytes.
     * </pre>
     */
    public void ask(dev.outrigger.probe.v1.Payload request,
        io.grpc.stub.StreamObserver<dev.outrigger.probe.v1.Payload> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getAskMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service Answer.
   * <pre>
   * Served on a brokered connection, by the host (prefix "host:") or by the
   * plugin (prefix "plugin:").
   * </pre>
   */
  public static final class AnswerBlockingV2Stub
      extends io.grpc.stub.AbstractBlockingStub<AnswerBlockingV2Stub> {
    private AnswerBlockingV2Stub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected AnswerBlockingV2Stub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new AnswerBlockingV2Stub(channel, callOptions);
    }

    /**
     * <pre>
     * Answers with the prefix and the same bytes.
     * </pre>
     */
    public dev.outrigger.probe.v1.Payload ask(dev.outrigger.probe.v1.Payload request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getAskMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service Answer.
   * <pre>
   * Served on a brokered connection, by the host (prefix "host:") or by the
   * plugin (prefix "plugin:").
   * </pre>
   */
  public static final class AnswerBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<AnswerBlockingStub> {
    private AnswerBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected AnswerBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new AnswerBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * Answers with the prefix and the same bytes.
     * </pre>
     */
    public dev.outrigger.probe.v1.Payload ask(dev.outrigger.probe.v1.Payload request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getAskMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service Answer.
   * <pre>
   * Served on a brokered connection, by the host (prefix "host:") or by the
   * plugin (prefix "plugin:").
   * </pre>
   */
  public static final class AnswerFutureStub
      extends io.grpc.stub.AbstractFutureStub<AnswerFutureStub> {
    private AnswerFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected AnswerFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new AnswerFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * Answers with the prefix and the same bytes.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.outrigger.probe.v1.Payload> ask(
        dev.outrigger.probe.v1.Payload request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getAskMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_ASK = 0;

  private static final class MethodHandlers<Req, Resp> implements
      io.grpc.stub.ServerCalls.UnaryMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ServerStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ClientStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.BidiStreamingMethod<Req, Resp> {
    private final AsyncService serviceImpl;
    private final int methodId;

    MethodHandlers(AsyncService serviceImpl, int methodId) {
      this.serviceImpl = serviceImpl;
      this.methodId = methodId;
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public void invoke(Req request, io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_ASK:
          serviceImpl.ask((dev.outrigger.probe.v1.Payload) request,
              (io.grpc.stub.StreamObserver<dev.outrigger.probe.v1.Payload>) responseObserver);
          break;
        default:
          throw new AssertionError();
      }
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public io.grpc.stub.StreamObserver<Req> invoke(
        io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        default:
          throw new AssertionError();
      }
    }
  }

  public static final io.grpc.ServerServiceDefinition bindService(AsyncService service) {
    return io.grpc.ServerServiceDefinition.builder(getServiceDescriptor())
        .addMethod(
          getAskMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.outrigger.probe.v1.Payload,
              dev.outrigger.probe.v1.Payload>(
                service, METHODID_ASK)))
        .build();
  }

  private static volatile io.grpc.ServiceDescriptor serviceDescriptor;

  public static io.grpc.ServiceDescriptor getServiceDescriptor() {
    io.grpc.ServiceDescriptor result = serviceDescriptor;
    if (result == null) {
      synchronized (AnswerGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .addMethod(getAskMethod())
              .build();
        }
      }
    }
    return result;
  }
}
