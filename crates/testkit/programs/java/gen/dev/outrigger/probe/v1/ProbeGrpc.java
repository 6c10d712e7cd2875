package dev.outrigger.probe.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * Served by the plugin on its main connection.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class ProbeGrpc {

  private ProbeGrpc() {}

  public static final java.lang.String SERVICE_NAME = "outrigger.probe.v1.Probe";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<dev.outrigger.probe.v1.Payload,
      dev.outrigger.probe.v1.Payload> getEchoMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Echo",
      requestType = dev.outrigger.probe.v1.Payload.class,
      responseType = dev.outrigger.probe.v1.Payload.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.outrigger.probe.v1.Payload,
      dev.outrigger.probe.v1.Payload> getEchoMethod() {
    io.grpc.MethodDescriptor<dev.outrigger.probe.v1.Payload, dev.outrigger.probe.v1.Payload> getEchoMethod;
    if ((getEchoMethod = ProbeGrpc.getEchoMethod) == null) {
      synchronized (ProbeGrpc.class) {
        if ((getEchoMethod = ProbeGrpc.getEchoMethod) == null) {
          ProbeGrpc.getEchoMethod = getEchoMethod =
              io.grpc.MethodDescriptor.<dev.outrigger.probe.v1.Payload, dev.outrigger.probe.v1.Payload>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Echo"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.lite.ProtoLiteUtils.marshaller(
                  dev.outrigger.probe.v1.Payload.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.lite.ProtoLiteUtils.marshaller(
                  dev.outrigger.probe.v1.Payload.getDefaultInstance()))
              .build();
        }
      }
    }
    return getEchoMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.outrigger.probe.v1.Payload,
      dev.outrigger.probe.v1.Payload> getEchoStreamMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "EchoStream",
      requestType = dev.outrigger.probe.v1.Payload.class,
      responseType = dev.outrigger.probe.v1.Payload.class,
      methodType = io.grpc.MethodDescriptor.MethodType.BIDI_STREAMING)
  public static io.grpc.MethodDescriptor<dev.outrigger.probe.v1.Payload,
      dev.outrigger.probe.v1.Payload> getEchoStreamMethod() {
    io.grpc.MethodDescriptor<dev.outrigger.probe.v1.Payload, dev.outrigger.probe.v1.Payload> getEchoStreamMethod;
    if ((getEchoStreamMethod = ProbeGrpc.getEchoStreamMethod) == null) {
      synchronized (ProbeGrpc.class) {
        if ((getEchoStreamMethod = ProbeGrpc.getEchoStreamMethod) == null) {
          ProbeGrpc.getEchoStreamMethod = getEchoStreamMethod =
              io.grpc.MethodDescriptor.<dev.outrigger.probe.v1.Payload, dev.outrigger.probe.v1.Payload>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.BIDI_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "EchoStream"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.lite.ProtoLiteUtils.marshaller(
                  dev.outrigger.probe.v1.Payload.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.lite.ProtoLiteUtils.marshaller(
                  dev.outrigger.probe.v1.Payload.getDefaultInstance()))
              .build();
        }
      }
    }
    return getEchoStreamMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.outrigger.probe.v1.PrintRequest,
      dev.outrigger.probe.v1.PrintResponse> getPrintMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Print",
      requestType = dev.outrigger.probe.v1.PrintRequest.class,
      responseType = dev.outrigger.probe.v1.PrintResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.outrigger.probe.v1.PrintRequest,
      dev.outrigger.probe.v1.PrintResponse> getPrintMethod() {
    io.grpc.MethodDescriptor<dev.outrigger.probe.v1.PrintRequest, dev.outrigger.probe.v1.PrintResponse> getPrintMethod;
    if ((getPrintMethod = ProbeGrpc.getPrintMethod) == null) {
      synchronized (ProbeGrpc.class) {
        if ((getPrintMethod = ProbeGrpc.getPrintMethod) == null) {
          ProbeGrpc.getPrintMethod = getPrintMethod =
              io.grpc.MethodDescriptor.<dev.outrigger.probe.v1.PrintRequest, dev.outrigger.probe.v1.PrintResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Print"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.lite.ProtoLiteUtils.marshaller(
                  dev.outrigger.probe.v1.PrintRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.lite.ProtoLiteUtils.marshaller(
                  dev.outrigger.probe.v1.PrintResponse.getDefaultInstance()))
              .build();
        }
      }
    }
    return getPrintMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.outrigger.probe.v1.LogRequest,
      dev.outrigger.probe.v1.LogResponse> getLogMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Log",
      requestType = dev.outrigger.probe.v1.LogRequest.class,
      responseType = dev.outrigger.probe.v1.LogResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.outrigger.probe.v1.LogRequest,
      dev.outrigger.probe.v1.LogResponse> getLogMethod() {
    io.grpc.MethodDescriptor<dev.outrigger.probe.v1.LogRequest, dev.outrigger.probe.v1.LogResponse> getLogMethod;
    if ((getLogMethod = ProbeGrpc.getLogMethod) == null) {
      synchronized (ProbeGrpc.class) {
        if ((getLogMethod = ProbeGrpc.getLogMethod) == null) {
          ProbeGrpc.getLogMethod = getLogMethod =
              io.grpc.MethodDescriptor.<dev.outrigger.probe.v1.LogRequest, dev.outrigger.probe.v1.LogResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Log"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.lite.ProtoLiteUtils.marshaller(
                  dev.outrigger.probe.v1.LogRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.lite.ProtoLiteUtils.marshaller(
                  dev.outrigger.probe.v1.LogResponse.getDefaultInstance()))
              .build();
        }
      }
    }
    return getLogMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.outrigger.probe.v1.CallHostRequest,
      dev.outrigger.probe.v1.Payload> getCallHostMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "CallHost",
      requestType = dev.outrigger.probe.v1.CallHostRequest.class,
      responseType = dev.outrigger.probe.v1.Payload.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.outrigger.probe.v1.CallHostRequest,
      dev.outrigger.probe.v1.Payload> getCallHostMethod() {
    io.grpc.MethodDescriptor<dev.outrigger.probe.v1.CallHostRequest, dev.outrigger.probe.v1.Payload> getCallHostMethod;
    if ((getCallHostMethod = ProbeGrpc.getCallHostMethod) == null) {
      synchronized (ProbeGrpc.class) {
        if ((getCallHostMethod = ProbeGrpc.getCallHostMethod) == null) {
          ProbeGrpc.getCallHostMethod = getCallHostMethod =
              io.grpc.MethodDescriptor.<dev.outrigger.probe.v1.CallHostRequest, dev.outrigger.probe.v1.Payload>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "CallHost"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.lite.ProtoLiteUtils.marshaller(
                  dev.outrigger.probe.v1.CallHostRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.lite.ProtoLiteUtils.marshaller(
                  dev.outrigger.probe.v1.Payload.getDefaultInstance()))
              .build();
        }
      }
    }
    return getCallHostMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.outrigger.probe.v1.OfferRequest,
      dev.outrigger.probe.v1.OfferResponse> getOfferMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Offer",
      requestType = dev.outrigger.probe.v1.OfferRequest.class,
      responseType = dev.outrigger.probe.v1.OfferResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.outrigger.probe.v1.OfferRequest,
      dev.outrigger.probe.v1.OfferResponse> getOfferMethod() {
    io.grpc.MethodDescriptor<dev.outrigger.probe.v1.OfferRequest, dev.outrigger.probe.v1.OfferResponse> getOfferMethod;
    if ((getOfferMethod = ProbeGrpc.getOfferMethod) == null) {
      synchronized (ProbeGrpc.class) {
        if ((getOfferMethod = ProbeGrpc.getOfferMethod) == null) {
          ProbeGrpc.getOfferMethod = getOfferMethod =
              io.grpc.MethodDescriptor.<dev.outrigger.probe.v1.OfferRequest, dev.outrigger.probe.v1.OfferResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Offer"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.lite.ProtoLiteUtils.marshaller(
                  dev.outrigger.probe.v1.OfferRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.lite.ProtoLiteUtils.marshaller(
                  dev.outrigger.probe.v1.OfferResponse.getDefaultInstance()))
              .build();
        }
      }
    }
    return getOfferMethod;
  }

  private static volatile io.grpc.MethodDescriptor<dev.outrigger.probe.v1.DescribeRequest,
      dev.outrigger.probe.v1.DescribeResponse> getDescribeMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "Describe",
      requestType = dev.outrigger.probe.v1.DescribeRequest.class,
      responseType = dev.outrigger.probe.v1.DescribeResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<dev.outrigger.probe.v1.DescribeRequest,
      dev.outrigger.probe.v1.DescribeResponse> getDescribeMethod() {
    io.grpc.MethodDescriptor<dev.outrigger.probe.v1.DescribeRequest, dev.outrigger.probe.v1.DescribeResponse> getDescribeMethod;
    if ((getDescribeMethod = ProbeGrpc.getDescribeMethod) == null) {
      synchronized (ProbeGrpc.class) {
        if ((getDescribeMethod = ProbeGrpc.getDescribeMethod) == null) {
          ProbeGrpc.getDescribeMethod = getDescribeMethod =
              io.grpc.MethodDescriptor.<dev.outrigger.probe.v1.DescribeRequest, dev.outrigger.probe.v1.DescribeResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "Describe"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.lite.ProtoLiteUtils.marshaller(
                  dev.outrigger.probe.v1.DescribeRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.lite.ProtoLiteUtils.marshaller(
                  dev.outrigger.probe.v1.DescribeResponse.getDefaultInstance()))
              .build();
        }
      }
    }
    return getDescribeMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static ProbeStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<ProbeStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<ProbeStub>() {
        @java.lang.Override
        public ProbeStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new ProbeStub(channel, callOptions);
        }
      };
    return ProbeStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports all types of calls on the service
   */
  public static ProbeBlockingV2Stub newBlockingV2Stub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<ProbeBlockingV2Stub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<ProbeBlockingV2Stub>() {
        @java.lang.Override
        public ProbeBlockingV2Stub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new ProbeBlockingV2Stub(channel, callOptions);
        }
      };
    return ProbeBlockingV2Stub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static ProbeBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<ProbeBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<ProbeBlockingStub>() {
        @java.lang.Override
        public ProbeBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new ProbeBlockingStub(channel, callOptions);
        }
      };
    return ProbeBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static ProbeFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<ProbeFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<ProbeFutureStub>() {
        @java.lang.Override
        public ProbeFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new ProbeFutureStub(channel, callOptions);
        }
      };
    return ProbeFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * Served by the plugin on its main connection.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * Answers with the same bytes.
     * </pre>
     */
    default void echo(dev.outrigger.probe.v1.Payload request,
        io.grpc.stub.StreamObserver<dev.outrigger.probe.v1.Payload> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getEchoMethod(), responseObserver);
    }

    /**
     * <pre>
     * Answers each message with the same bytes, in order, until the caller ends.
     * </pre>
     */
    default io.grpc.stub.StreamObserver<dev.outrigger.probe.v1.Payload> echoStream(
        io.grpc.stub.StreamObserver<dev.outrigger.probe.v1.Payload> responseObserver) {
      return io.grpc.stub.ServerCalls.asyncUnimplementedStreamingCall(getEchoStreamMethod(), responseObserver);
    }

    /**
     * <pre>
     * Writes the bytes through what its language calls standard output and
     * standard error, unchanged, and flushes them before it answers.
     * </pre>
     */
    default void print(dev.outrigger.probe.v1.PrintRequest request,
        io.grpc.stub.StreamObserver<dev.outrigger.probe.v1.PrintResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getPrintMethod(), responseObserver);
    }

    /**
     * <pre>
     * Writes one record with the plugin's own logger.
     * </pre>
     */
    default void log(dev.outrigger.probe.v1.LogRequest request,
        io.grpc.stub.StreamObserver<dev.outrigger.probe.v1.LogResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getLogMethod(), responseObserver);
    }

    /**
     * <pre>
     * Dials the broker id, which the host announced, asks the Answer service
     * there, and gives back what it answered.
     * </pre>
     */
    default void callHost(dev.outrigger.probe.v1.CallHostRequest request,
        io.grpc.stub.StreamObserver<dev.outrigger.probe.v1.Payload> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCallHostMethod(), responseObserver);
    }

    /**
     * <pre>
     * Takes a broker id, serves the Answer service under it, and names it. The
     * service prefixes what it is asked with "plugin:".
     * </pre>
     */
    default void offer(dev.outrigger.probe.v1.OfferRequest request,
        io.grpc.stub.StreamObserver<dev.outrigger.probe.v1.OfferResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getOfferMethod(), responseObserver);
    }

    /**
     * <pre>
     * Says what the plugin negotiated.
     * </pre>
     */
    default void describe(dev.outrigger.probe.v1.DescribeRequest request,
        io.grpc.stub.StreamObserver<dev.outrigger.probe.v1.DescribeResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getDescribeMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service Probe.
   * <pre>
   * Served by the plugin on its main connection.
   * </pre>
   */
  public static abstract class ProbeImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return ProbeGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service Probe.
   * <pre>
   * Served by the plugin on its main connection.
   * </pre>
   */
  public static final class ProbeStub
      extends io.grpc.stub.AbstractAsyncStub<ProbeStub> {
    private ProbeStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected ProbeStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new ProbeStub(channel, callOptions);
    }

    /**
     * <pre>
     * Answers with the same bytes.
     * </pre>
     */
    public void echo(dev.outrigger.probe.v1.Payload request,
        io.grpc.stub.StreamObserver<dev.outrigger.probe.v1.Payload> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getEchoMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Answers each message with the same bytes, in order, until the caller ends.
     * </pre>
     */
    public io.grpc.stub.StreamObserver<dev.outrigger.probe.v1.Payload> echoStream(
        io.grpc.stub.StreamObserver<dev.outrigger.probe.v1.Payload> responseObserver) {
      return io.grpc.stub.ClientCalls.asyncBidiStreamingCall(
          getChannel().newCall(getEchoStreamMethod(), getCallOptions()), responseObserver);
    }

    /**
     * <pre>
     * Writes the bytes through what its language calls standard output and
     * standard error, unchanged, and flushes them before it answers.
     * </pre>
     */
    public void print(dev.outrigger.probe.v1.PrintRequest request,
        io.grpc.stub.StreamObserver<dev.outrigger.probe.v1.PrintResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getPrintMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Writes one record with the plugin's own logger.
     * </pre>
     */
    public void log(dev.outrigger.probe.v1.LogRequest request,
        io.grpc.stub.StreamObserver<dev.outrigger.probe.v1.LogResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getLogMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Dials the broker id, which the host announced, asks the Answer service
     * there, and gives back what it answered.
     * </pre>
     */
    public void callHost(dev.outrigger.probe.v1.CallHostRequest request,
        io.grpc.stub.StreamObserver<dev.outrigger.probe.v1.Payload> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCallHostMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Takes a broker id, serves the Answer service under it, and names it. The
     * service prefixes what it is asked with "plugin:".
     * </pre>
     */
    public void offer(dev.outrigger.probe.v1.OfferRequest request,
        io.grpc.stub.StreamObserver<dev.outrigger.probe.v1.OfferResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getOfferMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Says what the plugin negotiated.
     * </pre>
     */
    public void describe(dev.outrigger.probe.v1.DescribeRequest request,
        io.grpc.stub.StreamObserver<dev.outrigger.probe.v1.DescribeResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getDescribeMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service Probe.
   * <pre>
   * Served by the plugin on its main connection.
   * </pre>
   */
  public static final class ProbeBlockingV2Stub
      extends io.grpc.stub.AbstractBlockingStub<ProbeBlockingV2Stub> {
    private ProbeBlockingV2Stub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected ProbeBlockingV2Stub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new ProbeBlockingV2Stub(channel, callOptions);
    }

    /**
     * <pre>
     * Answers with the same bytes.
     * </pre>
     */
    public dev.outrigger.probe.v1.Payload echo(dev.outrigger.probe.v1.Payload request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getEchoMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Answers each message with the same bytes, in order, until the caller ends.
     * </pre>
     */
    @io.grpc.ExperimentalApi("https://github.com/grpc/grpc-java/issues/10918")
    public io.grpc.stub.BlockingClientCall<dev.outrigger.probe.v1.Payload, dev.outrigger.probe.v1.Payload>
        echoStream() {
      return io.grpc.stub.ClientCalls.blockingBidiStreamingCall(
          getChannel(), getEchoStreamMethod(), getCallOptions());
    }

    /**
     * <pre>
     * Writes the bytes through what its language calls standard output and
     * standard error, unchanged, and flushes them before it answers.
     * </pre>
     */
    public dev.outrigger.probe.v1.PrintResponse print(dev.outrigger.probe.v1.PrintRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getPrintMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Writes one record with the plugin's own logger.
     * </pre>
     */
    public dev.outrigger.probe.v1.LogResponse log(dev.outrigger.probe.v1.LogRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getLogMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Dials the broker id, which the host announced, asks the Answer service
     * there, and gives back what it answered.
     * </pre>
     */
    public dev.outrigger.probe.v1.Payload callHost(dev.outrigger.probe.v1.CallHostRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getCallHostMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Takes a broker id, serves the Answer service under it, and names it. The
     * service prefixes what it is asked with "plugin:".
     * </pre>
     */
    public dev.outrigger.probe.v1.OfferResponse offer(dev.outrigger.probe.v1.OfferRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getOfferMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Says what the plugin negotiated.
     * </pre>
     */
    public dev.outrigger.probe.v1.DescribeResponse describe(dev.outrigger.probe.v1.DescribeRequest request) throws io.grpc.StatusException {
      return io.grpc.stub.ClientCalls.blockingV2UnaryCall(
          getChannel(), getDescribeMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service Probe.
   * <pre>
   * Served by the plugin on its main connection.
   * </pre>
   */
  public static final class ProbeBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<ProbeBlockingStub> {
    private ProbeBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected ProbeBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new ProbeBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * Answers with the same bytes.
     * </pre>
     */
    public dev.outrigger.probe.v1.Payload echo(dev.outrigger.probe.v1.Payload request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getEchoMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Writes the bytes through what its language calls standard output and
     * standard error, unchanged, and flushes them before it answers.
     * </pre>
     */
    public dev.outrigger.probe.v1.PrintResponse print(dev.outrigger.probe.v1.PrintRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getPrintMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Writes one record with the plugin's own logger.
     * </pre>
     */
    public dev.outrigger.probe.v1.LogResponse log(dev.outrigger.probe.v1.LogRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getLogMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Dials the broker id, which the host announced, asks the Answer service
     * there, and gives back what it answered.
     * </pre>
     */
    public dev.outrigger.probe.v1.Payload callHost(dev.outrigger.probe.v1.CallHostRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCallHostMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Takes a broker id, serves the Answer service under it, and names it. The
     * service prefixes what it is asked with "plugin:".
     * </pre>
     */
    public dev.outrigger.probe.v1.OfferResponse offer(dev.outrigger.probe.v1.OfferRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getOfferMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Says what the plugin negotiated.
     * </pre>
     */
    public dev.outrigger.probe.v1.DescribeResponse describe(dev.outrigger.probe.v1.DescribeRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getDescribeMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service Probe.
   * <pre>
   * Served by the plugin on its main connection.
   * </pre>
   */
  public static final class ProbeFutureStub
      extends io.grpc.stub.AbstractFutureStub<ProbeFutureStub> {
    private ProbeFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected ProbeFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new ProbeFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * Answers with the same bytes.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.outrigger.probe.v1.Payload> echo(
        dev.outrigger.probe.v1.Payload request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getEchoMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Writes the bytes through what its language calls standard output and
     * standard error, unchanged, and flushes them before it answers.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.outrigger.probe.v1.PrintResponse> print(
        dev.outrigger.probe.v1.PrintRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getPrintMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Writes one record with the plugin's own logger.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.outrigger.probe.v1.LogResponse> log(
        dev.outrigger.probe.v1.LogRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getLogMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Dials the broker id, which the host announced, asks the Answer service
     * there, and gives back what it answered.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.outrigger.probe.v1.Payload> callHost(
        dev.outrigger.probe.v1.CallHostRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCallHostMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Takes a broker id, serves the Answer service under it, and names it. The
     * service prefixes what it is asked with "plugin:".
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.outrigger.probe.v1.OfferResponse> offer(
        dev.outrigger.probe.v1.OfferRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getOfferMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Says what the plugin negotiated.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<dev.outrigger.probe.v1.DescribeResponse> describe(
        dev.outrigger.probe.v1.DescribeRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getDescribeMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_ECHO = 0;
  private static final int METHODID_PRINT = 1;
  private static final int METHODID_LOG = 2;
  private static final int METHODID_CALL_HOST = 3;
  private static final int METHODID_OFFER = 4;
  private static final int METHODID_DESCRIBE = 5;
  private static final int METHODID_ECHO_STREAM = 6;

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
        case METHODID_ECHO:
          serviceImpl.echo((dev.outrigger.probe.v1.Payload) request,
              (io.grpc.stub.StreamObserver<dev.outrigger.probe.v1.Payload>) responseObserver);
          break;
        case METHODID_PRINT:
          serviceImpl.print((dev.outrigger.probe.v1.PrintRequest) request,
              (io.grpc.stub.StreamObserver<dev.outrigger.probe.v1.PrintResponse>) responseObserver);
          break;
        case METHODID_LOG:
          serviceImpl.log((dev.outrigger.probe.v1.LogRequest) request,
              (io.grpc.stub.StreamObserver<dev.outrigger.probe.v1.LogResponse>) responseObserver);
          break;
        case METHODID_CALL_HOST:
          serviceImpl.callHost((dev.outrigger.probe.v1.CallHostRequest) request,
              (io.grpc.stub.StreamObserver<dev.outrigger.probe.v1.Payload>) responseObserver);
          break;
        case METHODID_OFFER:
          serviceImpl.offer((dev.outrigger.probe.v1.OfferRequest) request,
              (io.grpc.stub.StreamObserver<dev.outrigger.probe.v1.OfferResponse>) responseObserver);
          break;
        case METHODID_DESCRIBE:
          serviceImpl.describe((dev.outrigger.probe.v1.DescribeRequest) request,
              (io.grpc.stub.StreamObserver<dev.outrigger.probe.v1.DescribeResponse>) responseObserver);
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
        case METHODID_ECHO_STREAM:
          return (io.grpc.stub.StreamObserver<Req>) serviceImpl.echoStream(
              (io.grpc.stub.StreamObserver<dev.outrigger.probe.v1.Payload>) responseObserver);
        default:
          throw new AssertionError();
      }
    }
  }

  public static final io.grpc.ServerServiceDefinition bindService(AsyncService service) {
    return io.grpc.ServerServiceDefinition.builder(getServiceDescriptor())
        .addMethod(
          getEchoMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.outrigger.probe.v1.Payload,
              dev.outrigger.probe.v1.Payload>(
                service, METHODID_ECHO)))
        .addMethod(
          getEchoStreamMethod(),
          io.grpc.stub.ServerCalls.asyncBidiStreamingCall(
            new MethodHandlers<
              dev.outrigger.probe.v1.Payload,
              dev.outrigger.probe.v1.Payload>(
                service, METHODID_ECHO_STREAM)))
        .addMethod(
          getPrintMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.outrigger.probe.v1.PrintRequest,
              dev.outrigger.probe.v1.PrintResponse>(
                service, METHODID_PRINT)))
        .addMethod(
          getLogMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.outrigger.probe.v1.LogRequest,
              dev.outrigger.probe.v1.LogResponse>(
                service, METHODID_LOG)))
        .addMethod(
          getCallHostMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.outrigger.probe.v1.CallHostRequest,
              dev.outrigger.probe.v1.Payload>(
                service, METHODID_CALL_HOST)))
        .addMethod(
          getOfferMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.outrigger.probe.v1.OfferRequest,
              dev.outrigger.probe.v1.OfferResponse>(
                service, METHODID_OFFER)))
        .addMethod(
          getDescribeMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              dev.outrigger.probe.v1.DescribeRequest,
              dev.outrigger.probe.v1.DescribeResponse>(
                service, METHODID_DESCRIBE)))
        .build();
  }

  private static volatile io.grpc.ServiceDescriptor serviceDescriptor;

  public static io.grpc.ServiceDescriptor getServiceDescriptor() {
    io.grpc.ServiceDescriptor result = serviceDescriptor;
    if (result == null) {
      synchronized (ProbeGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .addMethod(getEchoMethod())
              .addMethod(getEchoStreamMethod())
              .addMethod(getPrintMethod())
              .addMethod(getLogMethod())
              .addMethod(getCallHostMethod())
              .addMethod(getOfferMethod())
              .addMethod(getDescribeMethod())
              .build();
        }
      }
    }
    return result;
  }
}
