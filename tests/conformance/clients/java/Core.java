import com.google.cloud.NoCredentials;
import com.google.cloud.bigquery.*;
import com.google.cloud.bigquery.JobInfo.CreateDisposition;
import com.google.cloud.bigquery.JobInfo.WriteDisposition;
import com.google.cloud.bigquery.JobStatistics.LoadStatistics;
import com.google.cloud.bigquery.JobStatistics.QueryStatistics;
import java.math.BigDecimal;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;

/**
 * Google's own client for Java, unmodified, drives bqlocal through what an application does. Prints "ok NAME" for each
 * check, or what failed. Environment: BQLOCAL_URL, BQLOCAL_PROJECT.
 */
public class Core {
  static final String URL = System.getenv("BQLOCAL_URL");
  static final String PROJECT = System.getenv("BQLOCAL_PROJECT");
  static final BigQuery client = BigQueryOptions.newBuilder().setProjectId(PROJECT).setHost(URL).setLocation("US")
      .setCredentials(NoCredentials.getInstance()).build().getService();
  static final Schema SCHEMA = Schema.of(
      Field.newBuilder("id", StandardSQLTypeName.INT64).setMode(Field.Mode.REQUIRED).setDescription("the key").build(),
      Field.of("name", StandardSQLTypeName.STRING), Field.of("born", StandardSQLTypeName.DATE),
      Field.of("paid", StandardSQLTypeName.NUMERIC));

  interface Check {
    void run() throws Exception;
  }

  static void same(Object want, Object got) {
    if (!Objects.equals(want, got)) {
      throw new AssertionError("want " + want + ", got " + got);
    }
  }

  /** The call fails with this HTTP code (0: a failed job) and Google's reason. */
  static void refused(int code, String reason, Callable<?> call) throws Exception {
    try {
      call.call();
    } catch (BigQueryException error) {
      String got = error.getError() == null ? error.getReason() : error.getError().getReason();
      if ((code != 0 && code != error.getCode()) || !Objects.equals(reason, got)) {
        throw new AssertionError("want " + code + " " + reason + ", got " + error.getCode() + " " + got, error);
      }
      return;
    } catch (FailedJob failure) {
      same(reason, failure.error.getReason());
      return;
    }
    throw new AssertionError("nothing failed, want " + code + " " + reason);
  }

  static Job done(Job job) throws Exception {
    Job ended = job.waitFor();
    if (ended.getStatus().getError() != null) {
      throw new FailedJob(ended.getStatus().getError());
    }
    return ended;
  }

  /** A job that failed. */
  static class FailedJob extends Exception {
    final BigQueryError error;

    FailedJob(BigQueryError error) {
      super(error.toString());
      this.error = error;
    }
  }

  static void failed(String reason, Job job) throws Exception {
    refused(0, reason, () -> done(job));
  }

  static TableId table(String name) {
    return TableId.of(PROJECT, "java", name);
  }

  static Table make(String name) {
    return client.create(TableInfo.of(table(name), StandardTableDefinition.of(SCHEMA)));
  }

  static QueryJobConfiguration.Builder query(String sql) {
    return QueryJobConfiguration.newBuilder(sql).setDefaultDataset("java");
  }

  static List<List<Object>> rows(QueryJobConfiguration configuration) throws Exception {
    List<List<Object>> out = new ArrayList<>();
    for (FieldValueList row : client.query(configuration).iterateAll()) {
      List<Object> values = new ArrayList<>();
      row.forEach(value -> values.add(value.getValue()));
      out.add(values);
    }
    return out;
  }

  static List<List<Object>> rows(String sql) throws Exception {
    return rows(query(sql).build());
  }

  static Job load(WriteChannelConfiguration.Builder configuration, String lines) throws Exception {
    TableDataWriteChannel writer =
        client.writer(configuration.setFormatOptions(FormatOptions.json()).build());
    try (writer) {
      ByteBuffer bytes = ByteBuffer.wrap(lines.getBytes(StandardCharsets.UTF_8));
      while (bytes.hasRemaining()) {
        writer.write(bytes);
      }
    }
    return writer.getJob();
  }

  static void faults(String rules) throws Exception {
    HttpRequest request = HttpRequest.newBuilder(URI.create(URL + "/bqlocal/faults"))
        .PUT(HttpRequest.BodyPublishers.ofString("{\"faults\": [" + rules + "]}")).build();
    same(true, HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).statusCode() < 300);
  }

  static void datasets() throws Exception {
    Dataset made = client.create(DatasetInfo.newBuilder("java_made").setLocation("EU").setDescription("words")
        .setLabels(Map.of("team", "core")).setDefaultTableLifetime(3600000L).build());
    same("EU words {team=core} 3600000", made.getLocation() + " " + made.getDescription() + " " + made.getLabels()
        + " " + made.getDefaultTableLifetime());
    same(4, made.getAcl().size());
    refused(409, "duplicate", () -> client.create(DatasetInfo.of("java_made")));
    same("more", client.update(made.toBuilder().setDescription("more").build()).getDescription());
    client.create(TableInfo.of(TableId.of("java_made", "t"), StandardTableDefinition.of(SCHEMA)));
    refused(400, "resourceInUse", () -> client.delete("java_made"));
    same(true, client.delete("java_made", BigQuery.DatasetDeleteOption.deleteContents()));
    same(null, client.getDataset("java_made"));
    same(false, client.delete("java_made"));
  }

  static void tables() throws Exception {
    Table made = client.create(TableInfo.newBuilder(table("made"), StandardTableDefinition.newBuilder()
        .setSchema(SCHEMA).setTimePartitioning(TimePartitioning.newBuilder(TimePartitioning.Type.MONTH).setField("born")
            .build()).setClustering(Clustering.newBuilder().setFields(List.of("id", "name")).build()).build())
        .setLabels(Map.of("a", "b")).setDescription("words").build());
    StandardTableDefinition definition = made.getDefinition();
    same("MONTH born [id, name] {a=b} words 0", definition.getTimePartitioning().getType() + " "
        + definition.getTimePartitioning().getField() + " " + definition.getClustering().getFields() + " "
        + made.getLabels() + " " + made.getDescription() + " " + made.getNumRows());
    same(Field.Mode.REQUIRED, definition.getSchema().getFields().get(0).getMode());
    refused(409, "duplicate", () -> make("made"));
    refused(501, "notImplemented",
        () -> client.create(TableInfo.of(table("view"), MaterializedViewDefinition.of("select 1"))));
    Table view = client.create(TableInfo.of(table("view"),
        ViewDefinition.newBuilder("select 1 as id").setUseLegacySql(false).build()));
    ViewDefinition seen = view.getDefinition();
    same("VIEW select 1 as id", seen.getType() + " " + seen.getQuery());
    same(true, view.delete());
    int names = 0;
    for (Table ignored : client.listTables("java", BigQuery.TableListOption.pageSize(1)).iterateAll()) {
      names++;
    }
    same(true, names > 0);
    same(true, made.delete());
    same(false, made.delete());
    same(null, client.getTable(table("made")));
  }

  static void patches() throws Exception {
    Table old = make("patched");
    List<Field> wider = new ArrayList<>(SCHEMA.getFields());
    wider.add(Field.of("score", StandardSQLTypeName.FLOAT64));
    Table changed = old.toBuilder().setDefinition(StandardTableDefinition.of(Schema.of(wider)))
        .setLabels(Map.of("k", "v")).build().update();
    same(5, changed.getDefinition().getSchema().getFields().size());
    same(Map.of("k", "v"), changed.getLabels());
    // This client sends no If-Match, but the whole definition as it was.
    refused(400, "invalid", () -> old.toBuilder().setDescription("lost").build().update());
    refused(400, "invalid", () -> changed.toBuilder()
        .setDefinition(StandardTableDefinition.of(Schema.of(SCHEMA.getFields().subList(0, 2)))).build().update());
  }

  static void loads() throws Exception {
    make("loaded");
    Job job = done(load(WriteChannelConfiguration.newBuilder(table("loaded")),
        "{\"id\": 1, \"name\": \"eins\", \"born\": \"2024-02-29\", \"paid\": \"1.5\"}\n{\"id\": 2}\n"));
    same(2L, ((LoadStatistics) job.getStatistics()).getOutputRows());
    same(List.of(Arrays.asList("1", "eins", "2024-02-29", "1.5"), Arrays.asList("2", null, null, null)),
        rows("select * from loaded order by id"));
    // Chunks of 15 MB and the rest.
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 40000; i++) {
      lines.append("{\"id\": ").append(i).append(", \"name\": \"").append("x".repeat(500)).append("\"}\n");
    }
    done(load(WriteChannelConfiguration.newBuilder(table("loaded"))
        .setWriteDisposition(WriteDisposition.WRITE_TRUNCATE), lines.toString()));
    same(List.of(List.of("40000")), rows("select count(*) from loaded"));
    failed("invalid", load(WriteChannelConfiguration.newBuilder(table("loaded")), "{\"id\": \"x\"}"));
    failed("duplicate", load(WriteChannelConfiguration.newBuilder(table("loaded"))
        .setWriteDisposition(WriteDisposition.WRITE_EMPTY), "{\"id\": 1}"));
    done(load(WriteChannelConfiguration.newBuilder(table("created")).setSchema(SCHEMA)
        .setCreateDisposition(CreateDisposition.CREATE_IF_NEEDED), "{\"id\": 1}"));
    // The client does not read the reason of an upload's error.
    refused(501, null, () -> load(WriteChannelConfiguration.newBuilder(table("loaded")).setMaxBadRecords(3),
        "{\"id\": 1}"));
  }

  static void parameters() throws Exception {
    Map<QueryParameterValue, String> values = Map.of(QueryParameterValue.int64(-9007199254740993L), "-9007199254740993",
        QueryParameterValue.float64(0.1), "0.1", QueryParameterValue.bool(false), "false",
        QueryParameterValue.string("it's größe \\ \n"), "it's größe \\ \n",
        QueryParameterValue.bytes(new byte[] {0, -1}), "AP8=",
        QueryParameterValue.numeric(new BigDecimal("-1.000000001")), "-1.000000001",
        QueryParameterValue.date("0001-01-01"), "0001-01-01", QueryParameterValue.time("23:59:59.999999"),
        "23:59:59.999999", QueryParameterValue.dateTime("9999-12-31 23:59:59.999999"), "9999-12-31T23:59:59.999999",
        QueryParameterValue.bigNumeric(new BigDecimal("1e-38")), "0." + "0".repeat(37) + "1");
    for (Map.Entry<QueryParameterValue, String> entry : values.entrySet()) {
      same(List.of(List.of(entry.getValue())),
          rows(query("select @v").addNamedParameter("v", entry.getKey()).build()));
    }
    FieldValueList row = client.query(query("select @v as v").addNamedParameter("v",
        QueryParameterValue.timestamp(-1L)).build()).iterateAll().iterator().next();
    same(-1L, row.get("v").getTimestampValue());
    same(List.of(Arrays.asList((Object) null)),
        rows(query("select @v").addNamedParameter("v", QueryParameterValue.int64((Long) null)).build()));
    same(List.of(List.of("42")), rows(query("select ? + ?").addPositionalParameter(QueryParameterValue.int64(40))
        .addPositionalParameter(QueryParameterValue.int64(2)).build()));
    same(List.of(List.of("1"), List.of("3")), rows(query("select v from unnest(@vs) as v order by v")
        .addNamedParameter("vs", QueryParameterValue.array(new Long[] {3L, 1L}, Long.class)).build()));
  }

  static void pages() throws Exception {
    make("paged");
    rows("insert into paged (id) values (1), (2), (3), (4), (5)");
    JobId id = JobId.newBuilder().setJob("java_job").setLocation("US").build();
    Job job = client.create(JobInfo.newBuilder(query("select id from paged order by id").build()).setJobId(id).build());
    TableResult first = job.getQueryResults(BigQuery.QueryResultsOption.pageSize(2));
    int rows = 0;
    for (FieldValueList ignored : first.iterateAll()) {
      rows++;
    }
    same(5, rows);
    same(5L, first.getTotalRows());
    // The client takes a used id as its own earlier request, whose answer was lost.
    same("java_job",
        client.create(JobInfo.newBuilder(query("select 1").build()).setJobId(id).build()).getJobId().getJob());
    same("java_job", client.getJob(id).getJobId().getJob());
    same(null, client.getJob(JobId.newBuilder().setJob("nosuch").setLocation("US").build()));
    rows = 0;
    for (FieldValueList ignored : client.listTableData(table("paged"), BigQuery.TableDataListOption.pageSize(2))
        .iterateAll()) {
      rows++;
    }
    same(5, rows);
  }

  static QueryStatistics statistics(String sql) throws Exception {
    return (QueryStatistics) done(client.create(JobInfo.of(query(sql).build()))).getStatistics();
  }

  static void dml() throws Exception {
    make("changed");
    same(3L, statistics("insert into changed (id) values (1), (2), (3)").getNumDmlAffectedRows());
    QueryStatistics merge = statistics("merge into changed as t using (select 2 as id union all select 4) as s"
        + " on t.id = s.id when matched then delete when not matched then insert (id) values (s.id)");
    same("2 1 1 0 MERGE changed", merge.getNumDmlAffectedRows() + " " + merge.getDmlStats().getInsertedRowCount() + " "
        + merge.getDmlStats().getDeletedRowCount() + " " + merge.getDmlStats().getUpdatedRowCount() + " "
        + merge.getStatementType() + " " + merge.getReferencedTables().get(0).getTable());
    Job script = done(client.create(JobInfo.of(query("select 1; select 2").build())));
    Job child = client.listJobs(BigQuery.JobListOption.parentJobId(script.getJobId().getJob())).iterateAll().iterator()
        .next();
    same("STATEMENT", child.getStatistics().getScriptStatistics().getEvaluationKind());
    same("select 2", child.getStatistics().getScriptStatistics().getStackFrames().get(0).getText());
  }

  static void copies() throws Exception {
    Table source = make("source");
    rows("insert into source (id) values (1), (2)");
    done(source.copy(table("copied")));
    failed("duplicate", source.copy(table("copied")));
    done(client.create(JobInfo.of(CopyJobConfiguration.newBuilder(table("copied"),
        List.of(table("source"), table("source"))).setWriteDisposition(WriteDisposition.WRITE_TRUNCATE).build())));
    same(4L, client.getTable(table("copied")).getNumRows().longValue());
    refused(501, "notImplemented", () -> client.create(JobInfo.of(CopyJobConfiguration.newBuilder(table("cloned"),
        table("source")).setOperationType("CLONE").build())));
  }

  static void errors() throws Exception {
    refused(400, "invalidQuery", () -> rows("select from where"));
    refused(404, "notFound", () -> rows("select * from nosuch"));
    refused(403, "accessDenied", () -> rows("select * from elsewhere.java.t"));
    refused(501, "notImplemented", () -> rows(query("select 1").setCreateSession(true).build()));
    Job dry = client.create(JobInfo.of(query("select 1 as one").setDryRun(true).build()));
    same("one", ((QueryStatistics) dry.getStatistics()).getSchema().getFields().get(0).getName());
    same(false, client.listModels("java").iterateAll().iterator().hasNext());
    same(false, client.listRoutines("java").iterateAll().iterator().hasNext());
  }

  static void retries() throws Exception {
    Table made = make("retried");
    for (String rule : List.of("\"action\": \"status\", \"status\": 503", "\"action\": \"reset_before\"")) {
      faults("{\"method\": \"GET\", \"path\": \"/tables/\", " + rule + "}");
      same("retried", made.reload().getTableId().getTable());
    }
  }

  public static void main(String[] arguments) throws Exception {
    Map<String, Check> checks = Map.of("datasets", Core::datasets, "tables", Core::tables, "patches", Core::patches,
        "loads", Core::loads, "parameters", Core::parameters, "pages", Core::pages, "dml", Core::dml, "copies",
        Core::copies, "errors", Core::errors, "retries", Core::retries);
    boolean good = true;
    client.create(DatasetInfo.of("java"));
    for (Map.Entry<String, Check> check : checks.entrySet()) {
      try {
        check.getValue().run();
        System.out.println("ok " + check.getKey());
      } catch (Throwable problem) {
        good = false;
        System.out.println("not ok " + check.getKey() + ": " + problem);
        problem.printStackTrace(System.out);
      }
    }
    System.exit(good ? 0 : 1);
  }
}
