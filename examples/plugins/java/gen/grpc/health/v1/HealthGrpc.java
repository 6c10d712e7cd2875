package grpc.health.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * Lives on the main connection.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class HealthGrpc {

  private HealthGrpc() {}

  public static final java.lang.String SERVICE_NAME = "grpc.health.v1.Health";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<grpc.health.v1.HealthOuterClass.HealthCheckRequest,
      grpc.health.v1.HealthOuterClass.HealthCheckResponse> getCheckMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Check",
      requestType = grpc.health.v1.HealthOuterClass.HealthCheckRequest.class,
      responseType = grpc.health.v1.HealthOuterClass.HealthCheckResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<grpc.health.v1.HealthOuterClass.HealthCheckRequest,
      grpc.health.v1.HealthOuterClass.HealthCheckResponse> getCheckMethod() {
    io.grpc.MethodDescriptor<grpc.health.v1.HealthOuterClass.HealthCheckRequest, grpc.health.v1.HealthOuterClass.HealthCheckResponse> getCheckMethod;
    if ((getCheckMethod = HealthGrpc.getCheckMethod) == null) {
      synchronized (HealthGrpc.class) {
        if ((getCheckMethod = HealthGrpc.getCheckMethod) == null) {
          HealthGrpc.getCheckMethod = getCheckMethod =
              io.grpc.MethodDescriptor.<grpc.health.v1.HealthOuterClass.HealthCheckRequest, grpc.health.v1.HealthOuterClass.HealthCheckResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Check"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.lite.ProtoLiteUtils.marshaller(
                  grpc.health.v1.HealthOuterClass.HealthCheckRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.lite.ProtoLiteUtils.marshaller(
                  grpc.health.v1.HealthOuterClass.HealthCheckResponse.getDefaultInstance()))
              .build();
        }
      }
    }
    return getCheckMethod;
  }

  private static volatile io.grpc.MethodDescriptor<grpc.health.v1.HealthOuterClass.HealthCheckRequest,
      grpc.health.v1.HealthOuterClass.HealthCheckResponse> getWatchMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Watch",
      requestType = grpc.health.v1.HealthOuterClass.HealthCheckRequest.class,
      responseType = grpc.health.v1.HealthOuterClass.HealthCheckResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
  public static io.grpc.MethodDescriptor<grpc.health.v1.HealthOuterClass.HealthCheckRequest,
      grpc.health.v1.HealthOuterClass.HealthCheckResponse> getWatchMethod() {
    io.grpc.MethodDescriptor<grpc.health.v1.HealthOuterClass.HealthCheckRequest, grpc.health.v1.HealthOuterClass.HealthCheckResponse> getWatchMethod;
    if ((getWatchMethod = HealthGrpc.getWatchMethod) == null) {
      synchronized (HealthGrpc.class) {
        if ((getWatchMethod = HealthGrpc.getWatchMethod) == null) {
          HealthGrpc.getWatchMethod = getWatchMethod =
              io.grpc.MethodDescriptor.<grpc.health.v1.HealthOuterClass.HealthCheckRequest, grpc.health.v1.HealthOuterClass.HealthCheckResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Watch"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.lite.ProtoLiteUtils.marshaller(
                  grpc.health.v1.HealthOuterClass.HealthCheckRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.lite.ProtoLiteUtils.marshaller(
                  grpc.health.v1.HealthOuterClass.HealthCheckResponse.getDefaultInstance()))
              .build();
        }
      }
    }
    return getWatchMethod;
  }

  private static volatile io.grpc.MethodDescriptor<grpc.health.v1.HealthOuterClass.HealthListRequest,
      grpc.health.v1.HealthOuterClass.HealthListResponse> getListMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "List",
      requestType = grpc.health.v1.HealthOuterClass.HealthListRequest.class,
      responseType = grpc.health.v1.HealthOuterClass.HealthListResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<grpc.health.v1.HealthOuterClass.HealthListRequest,
      grpc.health.v1.HealthOuterClass.HealthListResponse> getListMethod() {
    io.grpc.MethodDescriptor<grpc.health.v1.HealthOuterClass.HealthListRequest, grpc.health.v1.HealthOuterClass.HealthListResponse> getListMethod;
    if ((getListMethod = HealthGrpc.getListMethod) == null) {
      synchronized (HealthGrpc.class) {
        if ((getListMethod = HealthGrpc.getListMethod) == null) {
          HealthGrpc.getListMethod = getListMethod =
              io.grpc.MethodDescriptor.<grpc.health.v1.HealthOuterClass.HealthListRequest, grpc.health.v1.HealthOuterClass.HealthListResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "List"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.lite.ProtoLiteUtils.marshaller(
                  grpc.health.v1.HealthOuterClass.HealthListRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.lite.ProtoLiteUtils.marshaller(
                  grpc.health.v1.HealthOuterClass.HealthListResponse.getDefaultInstance()))
              .build();
        }
      }
    }
    return getListMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static HealthStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<HealthStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<HealthStub>() {
        @java.lang.Override
        public HealthStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new HealthStub(channel, callOptions);
        }
      };
    return HealthStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports all types of calls on the service
   */
  public static HealthBlockingV2Stub newBlockingV2Stub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<HealthBlockingV2Stub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<HealthBlockingV2Stub>() {
        @java.lang.Override
        public HealthBlockingV2Stub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new HealthBlockingV2Stub(channel, callOptions);
        }
      };
    return HealthBlockingV2Stub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static HealthBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<HealthBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<HealthBlockingStub>() {
        @java.lang.Override
        public HealthBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new HealthBlockingStub(channel, callOptions);
        }
      };
    return HealthBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static HealthFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<HealthFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<HealthFutureStub>() {
        @java.lang.Override
        public HealthFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new HealthFutureStub(channel, callOptions);
        }
      };
    return HealthFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * Lives on the main connection.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * Answers once; NOT_FOUND for an unknown service.
     * </pre>
     */
    default void check(grpc.health.v1.HealthOuterClass.HealthCheckRequest request,
        io.grpc.stub.StreamObserver<grpc.health.v1.HealthOuterClass.HealthCheckResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCheckMethod(), responseObserver);
    }

    /**
     * <pre>
     * Answers at once and at each change.
     * </pre>
     */
    default void watch(grpc.health.v1.HealthOuterClass.HealthCheckRequest request,
        io.grpc.stub.StreamObserver<grpc.health.v1.HealthOuterClass.HealthCheckResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getWatchMethod(), responseObserver);
    }

    /**
     * <pre>
     * Answers for every name that Check knows; peers may lack it.
     * </pre>
     */
    default void list(grpc.health.v1.HealthOuterClass.HealthListRequest request,
        io.grpc.stub.StreamObserver<grpc.health.v1.HealthOuterClass.HealthListResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service Health.
   * <pre>
   * Lives on the main connection.
   * </pre>
   */
  public static abstract class HealthImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return HealthGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service Health.
   * <pre>
   * Lives on the main connection.
   * </pre>
   */
  public static final class HealthStub
      extends io.grpc.stub.AbstractAsyncStub<HealthStub> {
    private HealthStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected HealthStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new HealthStub(channel, callOptions);
    }

    /**
     * <pre>
     * Answers once; NOT_FOUND for an unknown service.
     * </pre>
     */
    public void check(grpc.health.v1.HealthOuterClass.HealthCheckRequest request,
        io.grpc.stub.StreamObserver<grpc.health.v1.HealthOuterClass.HealthCheckResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCheckMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Answers at once and at each change.
     * </pre>
     */
    public void watch(grpc.health.v1.HealthOuterClass.HealthCheckRequest request,
        io.grpc.stub.StreamObserver<grpc.health.v1.HealthOuterClass.HealthCheckResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncServerStreamingCall(
          getChannel().newCall(getWatchMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Answers for every name that Check knows; peers may lack it.
     * </pre>
     */
    public void list(grpc.health.v1.HealthOuterClass.HealthListRequest request,
        io.grpc.stub.StreamObserver<grpc.health.v1.HealthOuterClass.HealthListResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service Health.
   * <pre>
   * Lives on the main connection.
   * </pre>
   */
  public static final class HealthBlockingV2Stub
      extends io.grpc.stub.AbstractBlockingStub<HealthBlockingV2Stub> {
    private HealthBlockingV2Stub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected HealthBlockingV2Stub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new HealthBlockingV2Stub(channel, callOptions);
    }

    /**
     * <pre>
     * Answers once; NOT_FOUND for an unknown service.
     * </pre>
     */
    public grpc.health.v1.HealthOuterClass.HealthCheckResponse check(grpc.health.v1.HealthOuterClass.HealthCheckRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getCheckMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Answers at once and at each change.
     * </pre>
     */
    @io.grpc.ExperimentalApi("https://github.com/grpc/grpc-java/issues/10918")
    public io.grpc.stub.BlockingClientCall<?, grpc.health.v1.HealthOuterClass.HealthCheckResponse>
        watch(grpc.health.v1.HealthOuterClass.HealthCheckRequest request) {
      return io.grpc.stub.ClientCalls.blockingV2ServerStreamingCall(
          getChannel(), getWatchMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Answers for every name that Check knows; peers may lack it.
     * </pre>
     */
    public grpc.health.v1.HealthOuterClass.HealthListResponse list(grpc.health.v1.HealthOuterClass.HealthListRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getListMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service Health.
   * <pre>
   * Lives on the main connection.
   * </pre>
   */
  public static final class HealthBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<HealthBlockingStub> {
    private HealthBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected HealthBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new HealthBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * Answers once; NOT_FOUND for an unknown service.
     * </pre>
     */
    public grpc.health.v1.HealthOuterClass.HealthCheckResponse check(grpc.health.v1.HealthOuterClass.HealthCheckRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCheckMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Answers at once and at each change.
     * </pre>
     */
    public java.util.Iterator<grpc.health.v1.HealthOuterClass.HealthCheckResponse> watch(
        grpc.health.v1.HealthOuterClass.HealthCheckRequest request) {
      return io.grpc.stub.ClientCalls.blockingServerStreamingCall(
          getChannel(), getWatchMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Answers for every name that Check knows; peers may lack it.
     * </pre>
     */
    public grpc.health.v1.HealthOuterClass.HealthListResponse list(grpc.health.v1.HealthOuterClass.HealthListRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service Health.
   * <pre>
   * Lives on the main connection.
   * </pre>
   */
  public static final class HealthFutureStub
      extends io.grpc.stub.AbstractFutureStub<HealthFutureStub> {
    private HealthFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected HealthFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new HealthFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * Answers once; NOT_FOUND for an unknown service.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<grpc.health.v1.HealthOuterClass.HealthCheckResponse> check(
        grpc.health.v1.HealthOuterClass.HealthCheckRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCheckMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Answers for every name that Check knows; peers may lack it.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<grpc.health.v1.HealthOuterClass.HealthListResponse> list(
        grpc.health.v1.HealthOuterClass.HealthListRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_CHECK = 0;
  private static final int METHODID_WATCH = 1;
  private static final int METHODID_LIST = 2;

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
        case METHODID_CHECK:
          serviceImpl.check((grpc.health.v1.HealthOuterClass.HealthCheckRequest) request,
              (io.grpc.stub.StreamObserver<grpc.health.v1.HealthOuterClass.HealthCheckResponse>) responseObserver);
          break;
        case METHODID_WATCH:
          serviceImpl.watch((grpc.health.v1.HealthOuterClass.HealthCheckRequest) request,
              (io.grpc.stub.StreamObserver<grpc.health.v1.HealthOuterClass.HealthCheckResponse>) responseObserver);
          break;
        case METHODID_LIST:
          serviceImpl.list((grpc.health.v1.HealthOuterClass.HealthListRequest) request,
              (io.grpc.stub.StreamObserver<grpc.health.v1.HealthOuterClass.HealthListResponse>) responseObserver);
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
          getCheckMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              grpc.health.v1.HealthOuterClass.HealthCheckRequest,
              grpc.health.v1.HealthOuterClass.HealthCheckResponse>(
                service, METHODID_CHECK)))
        .addMethod(
          getWatchMethod(),
          io.grpc.stub.ServerCalls.asyncServerStreamingCall(
            new MethodHandlers<
              grpc.health.v1.HealthOuterClass.HealthCheckRequest,
              grpc.health.v1.HealthOuterClass.HealthCheckResponse>(
                service, METHODID_WATCH)))
        .addMethod(
          getListMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              grpc.health.v1.HealthOuterClass.HealthListRequest,
              grpc.health.v1.HealthOuterClass.HealthListResponse>(
                service, METHODID_LIST)))
        .build();
  }

  private static volatile io.grpc.ServiceDescriptor serviceDescriptor;

  public static io.grpc.ServiceDescriptor getServiceDescriptor() {
    io.grpc.ServiceDescriptor result = serviceDescriptor;
    if (result == null) {
      synchronized (HealthGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .addMethod(getCheckMethod())
              .addMethod(getWatchMethod())
              .addMethod(getListMethod())
              .build();
        }
      }
    }
    return result;
  }
}
