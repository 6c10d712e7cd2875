import com.google.protobuf.ByteString;
import io.grpc.BindableService;
import io.grpc.stub.StreamObserver;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import proto.AccountOuterClass.*;
import proto.AccountServiceGrpc.AccountServiceImplBase;

/** A wallet's calls; passphrases are ignored, as the Vault plugin ignores them. */
final class Accounts extends AccountServiceImplBase {
  private volatile Wallet wallet;

  static List<BindableService> services() {
    Accounts accounts = new Accounts();
    return List.of(Answers.initialiser((config, identity) -> {
      String url = Answers.text(config, "accountDirectory", "");
      if (!url.isEmpty() && !url.startsWith("file:///")) {
        throw Answers.invalid("accountDirectory must be an absolute file:// URL");
      }
      List<String> unlock = new ArrayList<>();
      if (config.has("unlock")) {
        config.getAsJsonArray("unlock").forEach(address -> unlock.add(address.getAsString()));
      }
      accounts.wallet = new Wallet(url.isEmpty() ? null : Path.of(URI.create(url)), unlock);
    }), accounts);
  }

  /** A call on the wallet, which is there once Init made it. */
  private <T> void ask(StreamObserver<T> answer, Callable<T> call) {
    Answers.give(answer, () -> {
      if (wallet == null) {
        throw Answers.early();
      }
      return call.call();
    });
  }

  @Override
  public void status(StatusRequest request, StreamObserver<StatusResponse> answer) {
    ask(answer, () -> StatusResponse.newBuilder().setStatus(wallet.status()).build());
  }

  @Override
  public void open(OpenRequest request, StreamObserver<OpenResponse> answer) {
    Answers.give(answer, OpenResponse::getDefaultInstance);
  }

  @Override
  public void close(CloseRequest request, StreamObserver<CloseResponse> answer) {
    Answers.give(answer, CloseResponse::getDefaultInstance);
  }

  @Override
  public void accounts(AccountsRequest request, StreamObserver<AccountsResponse> answer) {
    ask(answer, () -> {
      AccountsResponse.Builder all = AccountsResponse.newBuilder();
      wallet.all().forEach(account -> all.addAccounts(sent(account)));
      return all.build();
    });
  }

  @Override
  public void contains(ContainsRequest request, StreamObserver<ContainsResponse> answer) {
    ask(answer, () -> {
      boolean contained = wallet.find(request.getAddress().toByteArray()) != null;
      return ContainsResponse.newBuilder().setIsContained(contained).build();
    });
  }

  @Override
  public void sign(SignRequest request, StreamObserver<SignResponse> answer) {
    ask(answer, () -> signature(request.getAddress(), request.getToSign(), false));
  }

  @Override
  public void unlockAndSign(UnlockAndSignRequest request, StreamObserver<SignResponse> answer) {
    ask(answer, () -> signature(request.getAddress(), request.getToSign(), true));
  }

  private SignResponse signature(ByteString address, ByteString hash, boolean once) {
    byte[] signature = wallet.sign(address.toByteArray(), hash.toByteArray(), once);
    return SignResponse.newBuilder().setSig(ByteString.copyFrom(signature)).build();
  }

  @Override
  public void timedUnlock(TimedUnlockRequest request, StreamObserver<TimedUnlockResponse> answer) {
    ask(answer, () -> {
      wallet.unlock(request.getAddress().toByteArray(), request.getDuration());
      return TimedUnlockResponse.getDefaultInstance();
    });
  }

  @Override
  public void lock(LockRequest request, StreamObserver<LockResponse> answer) {
    ask(answer, () -> {
      wallet.lock(request.getAddress().toByteArray());
      return LockResponse.getDefaultInstance();
    });
  }

  @Override
  public void newAccount(NewAccountRequest request, StreamObserver<NewAccountResponse> answer) {
    ask(answer, () -> {
      Wallet.Held made = wallet.create(Answers.config(request.getNewAccountConfig()));
      return NewAccountResponse.newBuilder().setAccount(sent(made)).build();
    });
  }

  @Override
  public void importRawKey(
      ImportRawKeyRequest request, StreamObserver<ImportRawKeyResponse> answer) {
    ask(answer, () -> {
      var config = Answers.config(request.getNewAccountConfig());
      Wallet.Held made = wallet.take(request.getRawKey(), config);
      return ImportRawKeyResponse.newBuilder().setAccount(sent(made)).build();
    });
  }

  private static Account sent(Wallet.Held held) {
    ByteString address = ByteString.copyFrom(held.address);
    return Account.newBuilder().setAddress(address).setUrl(held.url).build();
  }
}
