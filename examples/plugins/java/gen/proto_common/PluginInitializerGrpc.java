package proto_common;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * Called once after each successful connection, before anything else.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class PluginInitializerGrpc {

  private PluginInitializerGrpc() {}

  public static final java.lang.String SERVICE_NAME = "proto_common.PluginInitializer";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<proto_common.Init.PluginInitialization.Request,
      proto_common.Init.PluginInitialization.Response> getInitMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Init",
      requestType = proto_common.Init.PluginInitialization.Request.class,
      responseType = proto_common.Init.PluginInitialization.Response.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<proto_common.Init.PluginInitialization.Request,
      proto_common.Init.PluginInitialization.Response> getInitMethod() {
    io.grpc.MethodDescriptor<proto_common.Init.PluginInitialization.Request, proto_common.Init.PluginInitialization.Response> getInitMethod;
    if ((getInitMethod = PluginInitializerGrpc.getInitMethod) == null) {
      synchronized (PluginInitializerGrpc.class) {
        if ((getInitMethod = PluginInitializerGrpc.getInitMethod) == null) {
          PluginInitializerGrpc.getInitMethod = getInitMethod =
              io.grpc.MethodDescriptor.<proto_common.Init.PluginInitialization.Request, proto_common.Init.PluginInitialization.Response>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Init"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.lite.ProtoLiteUtils.marshaller(
                  proto_common.Init.PluginInitialization.Request.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.lite.ProtoLiteUtils.marshaller(
                  proto_common.Init.PluginInitialization.Response.getDefaultInstance()))
              .build();
        }
      }
    }
    return getInitMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static PluginInitializerStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<PluginInitializerStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<PluginInitializerStub>() {
        @java.lang.Override
        public PluginInitializerStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new PluginInitializerStub(channel, callOptions);
        }
      };
    return PluginInitializerStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports all types of calls on the service
   */
  public static PluginInitializerBlockingV2Stub newBlockingV2Stub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<PluginInitializerBlockingV2Stub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<PluginInitializerBlockingV2Stub>() {
        @java.lang.Override
        public PluginInitializerBlockingV2Stub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new PluginInitializerBlockingV2Stub(channel, callOptions);
        }
      };
    return PluginInitializerBlockingV2Stub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static PluginInitializerBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<PluginInitializerBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<PluginInitializerBlockingStub>() {
        @java.lang.Override
        public PluginInitializerBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new PluginInitializerBlockingStub(channel, callOptions);
        }
      };
    return PluginInitializerBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static PluginInitializerFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<PluginInitializerFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<PluginInitializerFutureStub>() {
        @java.lang.Override
        public PluginInitializerFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new PluginInitializerFutureStub(channel, callOptions);
        }
      };
    return PluginInitializerFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * Called once after each successful connection, before anything else.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * Hands over the configuration; any status but OK fails the start.
     * </pre>
     */
    default void init(proto_common.Init.PluginInitialization.Request request,
        io.grpc.stub.StreamObserver<proto_common.Init.PluginInitialization.Response> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getInitMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service PluginInitializer.
   * <pre>
   * Called once after each successful connection, before anything else.
   * </pre>
   */
  public static abstract class PluginInitializerImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return PluginInitializerGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service PluginInitializer.
   * <pre>
   * Called once after each successful connection, before anything else.
   * </pre>
   */
  public static final class PluginInitializerStub
      extends io.grpc.stub.AbstractAsyncStub<PluginInitializerStub> {
    private PluginInitializerStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected PluginInitializerStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new PluginInitializerStub(channel, callOptions);
    }

    /**
     * <pre>
     * Hands over the configuration; any status but OK fails the start.
     * </pre>
     */
    public void init(proto_common.Init.PluginInitialization.Request request,
        io.grpc.stub.StreamObserver<proto_common.Init.PluginInitialization.Response> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getInitMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service PluginInitializer.
   * <pre>
   * Called once after each successful connection, before anything else.
   * </pre>
   */
  public static final class PluginInitializerBlockingV2Stub
      extends io.grpc.stub.AbstractBlockingStub<PluginInitializerBlockingV2Stub> {
    private PluginInitializerBlockingV2Stub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected PluginInitializerBlockingV2Stub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new PluginInitializerBlockingV2Stub(channel, callOptions);
    }

    /**
     * <pre>
     * Hands over the configuration; any status but OK fails the start.
     * </pre>
     */
    public proto_common.Init.PluginInitialization.Response init(proto_common.Init.PluginInitialization.Request request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getInitMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service PluginInitializer.
   * <pre>
   * Called once after each successful connection, before anything else.
   * </pre>
   */
  public static final class PluginInitializerBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<PluginInitializerBlockingStub> {
    private PluginInitializerBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected PluginInitializerBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new PluginInitializerBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * Hands over the configuration; any status but OK fails the start.
     * </pre>
     */
    public proto_common.Init.PluginInitialization.Response init(proto_common.Init.PluginInitialization.Request request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getInitMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service PluginInitializer.
   * <pre>
   * Called once after each successful connection, before anything else.
   * </pre>
   */
  public static final class PluginInitializerFutureStub
      extends io.grpc.stub.AbstractFutureStub<PluginInitializerFutureStub> {
    private PluginInitializerFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected PluginInitializerFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new PluginInitializerFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * Hands over the configuration; any status but OK fails the start.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<proto_common.Init.PluginInitialization.Response> init(
        proto_common.Init.PluginInitialization.Request request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getInitMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_INIT = 0;

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
        case METHODID_INIT:
          serviceImpl.init((proto_common.Init.PluginInitialization.Request) request,
              (io.grpc.stub.StreamObserver<proto_common.Init.PluginInitialization.Response>) responseObserver);
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
          getInitMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              proto_common.Init.PluginInitialization.Request,
              proto_common.Init.PluginInitialization.Response>(
                service, METHODID_INIT)))
        .build();
  }

  private static volatile io.grpc.ServiceDescriptor serviceDescriptor;

  public static io.grpc.ServiceDescriptor getServiceDescriptor() {
    io.grpc.ServiceDescriptor result = serviceDescriptor;
    if (result == null) {
      synchronized (PluginInitializerGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .addMethod(getInitMethod())
              .build();
        }
      }
    }
    return result;
  }
}
