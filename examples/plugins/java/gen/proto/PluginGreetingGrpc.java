package proto;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * The smallest plugin interface there is.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class PluginGreetingGrpc {

  private PluginGreetingGrpc() {}

  public static final java.lang.String SERVICE_NAME = "proto.PluginGreeting";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<proto.Helloworld.PluginHelloWorld.Request,
      proto.Helloworld.PluginHelloWorld.Response> getGreetingMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Greeting",
      requestType = proto.Helloworld.PluginHelloWorld.Request.class,
      responseType = proto.Helloworld.PluginHelloWorld.Response.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<proto.Helloworld.PluginHelloWorld.Request,
      proto.Helloworld.PluginHelloWorld.Response> getGreetingMethod() {
    io.grpc.MethodDescriptor<proto.Helloworld.PluginHelloWorld.Request, proto.Helloworld.PluginHelloWorld.Response> getGreetingMethod;
    if ((getGreetingMethod = PluginGreetingGrpc.getGreetingMethod) == null) {
      synchronized (PluginGreetingGrpc.class) {
        if ((getGreetingMethod = PluginGreetingGrpc.getGreetingMethod) == null) {
          PluginGreetingGrpc.getGreetingMethod = getGreetingMethod =
              io.grpc.MethodDescriptor.<proto.Helloworld.PluginHelloWorld.Request, proto.Helloworld.PluginHelloWorld.Response>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Greeting"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.lite.ProtoLiteUtils.marshaller(
                  proto.Helloworld.PluginHelloWorld.Request.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.lite.ProtoLiteUtils.marshaller(
                  proto.Helloworld.PluginHelloWorld.Response.getDefaultInstance()))
              .build();
        }
      }
    }
    return getGreetingMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static PluginGreetingStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<PluginGreetingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<PluginGreetingStub>() {
        @java.lang.Override
        public PluginGreetingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new PluginGreetingStub(channel, callOptions);
        }
      };
    return PluginGreetingStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports all types of calls on the service
   */
  public static PluginGreetingBlockingV2Stub newBlockingV2Stub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<PluginGreetingBlockingV2Stub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<PluginGreetingBlockingV2Stub>() {
        @java.lang.Override
        public PluginGreetingBlockingV2Stub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new PluginGreetingBlockingV2Stub(channel, callOptions);
        }
      };
    return PluginGreetingBlockingV2Stub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static PluginGreetingBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<PluginGreetingBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<PluginGreetingBlockingStub>() {
        @java.lang.Override
        public PluginGreetingBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new PluginGreetingBlockingStub(channel, callOptions);
        }
      };
    return PluginGreetingBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static PluginGreetingFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<PluginGreetingFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<PluginGreetingFutureStub>() {
        @java.lang.Override
        public PluginGreetingFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new PluginGreetingFutureStub(channel, callOptions);
        }
      };
    return PluginGreetingFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * The smallest plugin interface there is.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * Answers with a greeting in the configured language.
     * </pre>
     */
    default void greeting(proto.Helloworld.PluginHelloWorld.Request request,
        io.grpc.stub.StreamObserver<proto.Helloworld.PluginHelloWorld.Response> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGreetingMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service PluginGreeting.
   * <pre>
   * The smallest plugin interface there is.
   * </pre>
   */
  public static abstract class PluginGreetingImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return PluginGreetingGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service PluginGreeting.
   * <pre>
   * The smallest plugin interface there is.
   * </pre>
   */
  public static final class PluginGreetingStub
      extends io.grpc.stub.AbstractAsyncStub<PluginGreetingStub> {
    private PluginGreetingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected PluginGreetingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new PluginGreetingStub(channel, callOptions);
    }

    /**
     * <pre>
     * Answers with a greeting in the configured language.
     * </pre>
     */
    public void greeting(proto.Helloworld.PluginHelloWorld.Request request,
        io.grpc.stub.StreamObserver<proto.Helloworld.PluginHelloWorld.Response> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGreetingMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service PluginGreeting.
   * <pre>
   * The smallest plugin interface there is.
   * </pre>
   */
  public static final class PluginGreetingBlockingV2Stub
      extends io.grpc.stub.AbstractBlockingStub<PluginGreetingBlockingV2Stub> {
    private PluginGreetingBlockingV2Stub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected PluginGreetingBlockingV2Stub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new PluginGreetingBlockingV2Stub(channel, callOptions);
    }

    /**
     * <pre>
     * Answers with a greeting in the configured language.
     * </pre>
     */
    public proto.Helloworld.PluginHelloWorld.Response greeting(proto.Helloworld.PluginHelloWorld.Request request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getGreetingMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service PluginGreeting.
   * <pre>
   * The smallest plugin interface there is.
   * </pre>
   */
  public static final class PluginGreetingBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<PluginGreetingBlockingStub> {
    private PluginGreetingBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected PluginGreetingBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new PluginGreetingBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * Answers with a greeting in the configured language.
     * </pre>
     */
    public proto.Helloworld.PluginHelloWorld.Response greeting(proto.Helloworld.PluginHelloWorld.Request request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGreetingMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service PluginGreeting.
   * <pre>
   * The smallest plugin interface there is.
   * </pre>
   */
  public static final class PluginGreetingFutureStub
      extends io.grpc.stub.AbstractFutureStub<PluginGreetingFutureStub> {
    private PluginGreetingFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected PluginGreetingFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new PluginGreetingFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * Answers with a greeting in the configured language.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<proto.Helloworld.PluginHelloWorld.Response> greeting(
        proto.Helloworld.PluginHelloWorld.Request request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGreetingMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_GREETING = 0;

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
        case METHODID_GREETING:
          serviceImpl.greeting((proto.Helloworld.PluginHelloWorld.Request) request,
              (io.grpc.stub.StreamObserver<proto.Helloworld.PluginHelloWorld.Response>) responseObserver);
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
          getGreetingMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              proto.Helloworld.PluginHelloWorld.Request,
              proto.Helloworld.PluginHelloWorld.Response>(
                service, METHODID_GREETING)))
        .build();
  }

  private static volatile io.grpc.ServiceDescriptor serviceDescriptor;

  public static io.grpc.ServiceDescriptor getServiceDescriptor() {
    io.grpc.ServiceDescriptor result = serviceDescriptor;
    if (result == null) {
      synchronized (PluginGreetingGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .addMethod(getGreetingMethod())
              .build();
        }
      }
    }
    return result;
  }
}
