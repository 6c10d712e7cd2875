import com.google.gson.JsonObject;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.bouncycastle.asn1.sec.SECNamedCurves;
import org.bouncycastle.crypto.digests.KeccakDigest;
import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.params.ECDomainParameters;
import org.bouncycastle.crypto.params.ECPrivateKeyParameters;
import org.bouncycastle.crypto.signers.ECDSASigner;
import org.bouncycastle.crypto.signers.HMacDSAKCalculator;
import org.bouncycastle.math.ec.ECAlgorithms;
import org.bouncycastle.math.ec.ECPoint;
import org.bouncycastle.util.BigIntegers;

/**
 * Keys on secp256k1, in memory or in a directory, in the order in which they came. A wallet for
 * tests: its files are not encrypted.
 */
final class Wallet {
  private static final ECDomainParameters CURVE =
      new ECDomainParameters(SECNamedCurves.getByName("secp256k1"));
  private static final HexFormat HEX = HexFormat.of();
  private static final int ADDRESS_BYTES = 20;
  private static final int HASH_BYTES = 32;
  private static final int KEY_BYTES = 32;
  private static final String ENDING = ".key";

  /** An account with its key; {@code until} is the end of its unlocking, in System.nanoTime. */
  static final class Held {
    final byte[] address;
    final String url;
    private final BigInteger key;
    private boolean unlocked;
    private boolean forGood;
    private long until;

    private Held(BigInteger key, String url) {
      this.key = key;
      this.url = url;
      this.address = addressOf(publicKey(key));
    }

    private boolean open() {
      return unlocked && (forGood || System.nanoTime() - until < 0);
    }
  }

  private final Map<String, Held> held = new LinkedHashMap<>();
  private final Path directory;

  /** Reads the keys of a directory; null is none. */
  Wallet(Path directory, List<String> unlock) throws IOException {
    this.directory = directory;
    if (directory != null) {
      Files.createDirectories(directory);
      try (var files = Files.list(directory)) {
        for (Path file : files.filter(file -> file.toString().endsWith(ENDING)).sorted().toList()) {
          add(new BigInteger(1, HEX.parseHex(Files.readString(file).strip())), "file://" + file);
        }
      }
    }
    for (String text : unlock) {
      Held account = held.get(text.replaceFirst("^0x", ""));
      if (account == null) {
        throw Answers.invalid("unlock: there is no account " + text);
      }
      account.unlocked = account.forGood = true;
    }
  }

  synchronized String status() {
    TreeSet<String> open = new TreeSet<>();
    held.forEach((address, account) -> {
      if (account.open()) {
        open.add("0x" + address);
      }
    });
    return open.size() + " unlocked account(s): [" + String.join(" ", open) + "]";
  }

  synchronized Collection<Held> all() {
    return new ArrayList<>(held.values());
  }

  synchronized Held find(byte[] address) {
    if (address.length != ADDRESS_BYTES) {
      throw Answers.invalid("an address has " + ADDRESS_BYTES + " bytes, not " + address.length);
    }
    return held.get(HEX.formatHex(address));
  }

  private Held known(byte[] address) {
    Held account = find(address);
    if (account == null) {
      throw new IllegalStateException("account 0x" + HEX.formatHex(address) + " is not here");
    }
    return account;
  }

  synchronized void unlock(byte[] address, long nanoseconds) {
    Held account = known(address);
    if (nanoseconds < 0) {
      throw Answers.invalid("a duration is not negative");
    }
    account.unlocked = true;
    account.forGood = nanoseconds == 0;
    account.until = System.nanoTime() + nanoseconds;
  }

  synchronized void lock(byte[] address) {
    Held account = find(address);
    if (account != null) {
      account.unlocked = false;
    }
  }

  synchronized Held create(JsonObject config) throws IOException {
    BigInteger most = CURVE.getN().subtract(BigInteger.ONE);
    return keep(BigIntegers.createRandomInRange(BigInteger.ONE, most, new SecureRandom()), config);
  }

  synchronized Held take(String text, JsonObject config) throws IOException {
    if (!text.matches("[0-9a-fA-F]{64}")) {
      throw Answers.invalid("a key is 64 hexadecimal digits");
    }
    BigInteger key = new BigInteger(text, 16);
    if (key.signum() == 0 || key.compareTo(CURVE.getN()) >= 0) {
      throw Answers.invalid("the key is not on the curve");
    }
    return keep(key, config);
  }

  private Held add(BigInteger key, String url) {
    Held account = new Held(key, url);
    held.put(HEX.formatHex(account.address), account);
    return account;
  }

  /** Stores a new account, which is locked. */
  private Held keep(BigInteger key, JsonObject config) throws IOException {
    String name = Answers.text(config, "secretName", "");
    if (!name.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,63}")) {
      throw Answers.invalid("secretName must be a plain file name");
    }
    if (directory == null) {
      return add(key, "memory://" + name);
    }
    Path file = directory.resolve(name + ENDING);
    JsonObject protection = config.getAsJsonObject("overwriteProtection");
    boolean overwrite =
        protection != null
            && protection.has("insecureDisable")
            && protection.get("insecureDisable").getAsBoolean();
    if (Files.exists(file) && !overwrite) {
      throw new IllegalStateException("secret " + name + " is there already");
    }
    // Moved into place, so that no half of a key is ever found.
    Path half = directory.resolve("." + name);
    Files.writeString(half, HEX.formatHex(BigIntegers.asUnsignedByteArray(KEY_BYTES, key)));
    Files.setPosixFilePermissions(half, PosixFilePermissions.fromString("rw-------"));
    Files.move(half, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    return add(key, "file://" + file);
  }

  /** R, S and V, where V is 0 or 1; with once, whether the account is locked or not. */
  synchronized byte[] sign(byte[] address, byte[] hash, boolean once) {
    Held account = known(address);
    if (!account.open() && !once) {
      throw new IllegalStateException("account locked");
    }
    if (hash.length != HASH_BYTES) {
      throw Answers.invalid("what is signed has " + HASH_BYTES + " bytes, not " + hash.length);
    }
    ECDSASigner signer = new ECDSASigner(new HMacDSAKCalculator(new SHA256Digest()));
    signer.init(true, new ECPrivateKeyParameters(account.key, CURVE));
    BigInteger[] pair = signer.generateSignature(hash);
    BigInteger r = pair[0];
    // Of S and its negative, Ethereum takes the smaller.
    BigInteger s = pair[1].min(CURVE.getN().subtract(pair[1]));
    byte[] signature = new byte[65];
    BigIntegers.asUnsignedByteArray(r, signature, 0, 32);
    BigIntegers.asUnsignedByteArray(s, signature, 32, 32);
    ECPoint own = publicKey(account.key);
    signature[64] = (byte) (recovered(hash, r, s, 0).equals(own) ? 0 : 1);
    return signature;
  }

  /** The public key by which a signature with this V is good. */
  private static ECPoint recovered(byte[] hash, BigInteger r, BigInteger s, int v) {
    byte[] compressed = new byte[33];
    compressed[0] = (byte) (2 + v);
    BigIntegers.asUnsignedByteArray(r, compressed, 1, 32);
    ECPoint point = CURVE.getCurve().decodePoint(compressed);
    BigInteger inverse = BigIntegers.modOddInverse(CURVE.getN(), r);
    BigInteger first = new BigInteger(1, hash).negate().multiply(inverse).mod(CURVE.getN());
    BigInteger second = s.multiply(inverse).mod(CURVE.getN());
    return ECAlgorithms.sumOfTwoMultiplies(CURVE.getG(), first, point, second).normalize();
  }

  private static ECPoint publicKey(BigInteger key) {
    return CURVE.getG().multiply(key).normalize();
  }

  private static byte[] addressOf(ECPoint key) {
    // Without the byte that says that both coordinates follow.
    byte[] point = key.getEncoded(false);
    KeccakDigest digest = new KeccakDigest(8 * HASH_BYTES);
    digest.update(point, 1, point.length - 1);
    byte[] hash = new byte[HASH_BYTES];
    digest.doFinal(hash, 0);
    return Arrays.copyOfRange(hash, HASH_BYTES - ADDRESS_BYTES, HASH_BYTES);
  }
}
