import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.util.Utf8;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * The common job in Kafka Streams' Processor API: TierJob INPUT OUTPUT SCHEMA PROPERTIES.
 *
 * <p>One source, one processor with one store and its changelog, one sink. PROPERTIES is a file of Kafka Streams' own options; `job.store` beside
 * them is `rocksdb` or `memory`. It runs until SIGTERM.
 */
public final class TierJob {
  private static final int FRAME_BYTES = 5;
  private static final double HALF_LIFE_MS = 7 * 86_400_000.0;
  private static final Map<Utf8, Double> POINTS =
      Map.of(new Utf8("VISIT"), 1.0, new Utf8("DOWNLOAD"), 4.0, new Utf8("PRICE_INQUIRY"), 12.0, new Utf8("EVENT_CHECKIN"), 20.0);
  private static final String TIERS = "CBA";
  private static final long[] ENTER_AT = {Long.MIN_VALUE, 60_000_000, 80_000_000};
  private static final long[] LEAVE_BELOW = {Long.MIN_VALUE, 55_000_000, 75_000_000};

  /** What is kept of an account, as the 21 bytes of the store. */
  private static final class Standing {
    private static final int BYTES = 21;
    double score;
    long clockMs = Long.MIN_VALUE;
    int tier;
    int sequence;

    void read(byte[] stored) {
      if (stored == null) {
        score = 0;
        clockMs = Long.MIN_VALUE;
        tier = 0;
        sequence = 0;
        return;
      }
      ByteBuffer from = ByteBuffer.wrap(stored);
      score = from.getDouble();
      clockMs = from.getLong();
      tier = from.get();
      sequence = from.getInt();
    }

    byte[] written() {
      return ByteBuffer.allocate(BYTES).putDouble(score).putLong(clockMs).put((byte) tier).putInt(sequence).array();
    }
  }

  private static final class Folding implements Processor<String, byte[], String, byte[]> {
    private final GenericDatumReader<GenericRecord> reader;
    private final Standing standing = new Standing();
    private ProcessorContext<String, byte[]> context;
    private KeyValueStore<String, byte[]> accounts;
    private BinaryDecoder decoder;
    private GenericRecord event;

    Folding(Schema schema) {
      reader = new GenericDatumReader<>(schema);
    }

    @Override
    public void init(ProcessorContext<String, byte[]> given) {
      context = given;
      accounts = given.getStateStore("accounts");
    }

    @Override
    public void process(Record<String, byte[]> record) {
      decode(record.value());
      String account = record.key();
      long atMs = (Long) event.get("occurred_at");
      double points = POINTS.get((Utf8) event.get("kind"));
      standing.read(accounts.get(account));
      if (standing.clockMs == Long.MIN_VALUE) {
        standing.clockMs = atMs;
      }
      if (atMs >= standing.clockMs) {
        standing.score *= Math.pow(2.0, (standing.clockMs - atMs) / HALF_LIFE_MS);
        standing.clockMs = atMs;
        sink(record, account);
        standing.score += points;
      } else {
        standing.score += points * Math.pow(2.0, (atMs - standing.clockMs) / HALF_LIFE_MS);
      }
      rise(record, account);
      accounts.put(account, standing.written());
    }

    private void decode(byte[] framed) {
      try {
        decoder = DecoderFactory.get().binaryDecoder(framed, FRAME_BYTES, framed.length - FRAME_BYTES, decoder);
        event = reader.read(event, decoder);
      } catch (java.io.IOException broken) {
        throw new java.io.UncheckedIOException(broken);
      }
    }

    /** What time took, tier by tier. */
    private void sink(Record<String, byte[]> record, String account) {
      while (micro() < LEAVE_BELOW[standing.tier]) {
        move(standing.tier - 1, record, account);
      }
    }

    private void rise(Record<String, byte[]> record, String account) {
      int reached = micro() >= ENTER_AT[2] ? 2 : micro() >= ENTER_AT[1] ? 1 : 0;
      if (reached > standing.tier) {
        move(reached, record, account);
      }
    }

    private long micro() {
      return Math.round(standing.score * 1e6);
    }

    private void move(int tier, Record<String, byte[]> record, String account) {
      standing.sequence++;
      String change =
          "{\"account\":\"" + account + "\",\"sequence\":" + standing.sequence + ",\"from_tier\":\"" + TIERS.charAt(standing.tier)
              + "\",\"to_tier\":\"" + TIERS.charAt(tier) + "\",\"score_micro\":" + micro() + ",\"event_id\":\"" + event.get("event_id") + "\"}";
      standing.tier = tier;
      context.forward(record.withValue(change.getBytes(StandardCharsets.UTF_8)));
    }
  }

  public static void main(String[] arguments) throws Exception {
    Schema schema = new Schema.Parser().parse(Files.readString(Path.of(arguments[2])));
    Properties options = new Properties();
    try (var file = Files.newBufferedReader(Path.of(arguments[3]))) {
      options.load(file);
    }
    boolean inMemory = "memory".equals(options.remove("job.store"));
    var supplier = inMemory ? Stores.inMemoryKeyValueStore("accounts") : Stores.persistentKeyValueStore("accounts");
    var store = Stores.keyValueStoreBuilder(supplier, Serdes.String(), Serdes.ByteArray()).withCachingEnabled();
    Topology topology = new Topology();
    topology.addSource("interactions", Serdes.String().deserializer(), Serdes.ByteArray().deserializer(), arguments[0]);
    topology.addProcessor("folding", () -> new Folding(schema), "interactions");
    topology.addStateStore(store, "folding");
    topology.addSink("changes", arguments[1], Serdes.String().serializer(), Serdes.ByteArray().serializer(), "folding");
    KafkaStreams streams = new KafkaStreams(topology, options);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(Duration.ofSeconds(10))));
    streams.start();
  }
}
