// Package core drives bqlocal through Google's own client for Go, unmodified, as an application does.
// Environment: BQLOCAL_URL, BQLOCAL_PROJECT.
package core

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/civil"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"
)

var (
	ctx    = context.Background()
	url    = os.Getenv("BQLOCAL_URL")
	client *bigquery.Client
	ds     *bigquery.Dataset
	schema = bigquery.Schema{
		{Name: "id", Type: bigquery.IntegerFieldType, Required: true, Description: "the key"},
		{Name: "name", Type: bigquery.StringFieldType}, {Name: "born", Type: bigquery.DateFieldType},
		{Name: "paid", Type: bigquery.NumericFieldType},
	}
)

func TestMain(m *testing.M) {
	var err error
	client, err = bigquery.NewClient(ctx, os.Getenv("BQLOCAL_PROJECT"), option.WithEndpoint(url+"/bigquery/v2/"),
		option.WithoutAuthentication())
	if err != nil {
		panic(err)
	}
	ds = client.Dataset("golang")
	if err = ds.Create(ctx, nil); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func same(t *testing.T, want, got any) {
	t.Helper()
	if !reflect.DeepEqual(want, got) {
		t.Fatalf("want %#v, got %#v", want, got)
	}
}

// refused checks the HTTP code and Google's reason.
func refused(t *testing.T, err error, code int, reason string) {
	t.Helper()
	var api *googleapi.Error
	if !errors.As(err, &api) {
		t.Fatalf("want %d %s, got %v", code, reason, err)
	}
	if api.Code != code || len(api.Errors) == 0 || api.Errors[0].Reason != reason {
		t.Fatalf("want %d %s, got %v", code, reason, api)
	}
}

func faults(t *testing.T, rules string) {
	t.Helper()
	request, _ := http.NewRequest("PUT", url+"/bqlocal/faults", strings.NewReader(`{"faults": [`+rules+`]}`))
	answer, err := http.DefaultClient.Do(request)
	must(t, err)
	answer.Body.Close()
	same(t, true, answer.StatusCode < 300)
}

func table(t *testing.T, metadata *bigquery.TableMetadata) *bigquery.Table {
	t.Helper()
	made := ds.Table(t.Name())
	if metadata == nil {
		metadata = &bigquery.TableMetadata{Schema: schema}
	}
	must(t, made.Create(ctx, metadata))
	return made
}

func rows(t *testing.T, sql string, parameters ...bigquery.QueryParameter) [][]bigquery.Value {
	t.Helper()
	query := client.Query(sql)
	query.Parameters = parameters
	found, err := query.Read(ctx)
	must(t, err)
	return all(t, found)
}

func all(t *testing.T, found *bigquery.RowIterator) (out [][]bigquery.Value) {
	t.Helper()
	for {
		var row []bigquery.Value
		err := found.Next(&row)
		if err == iterator.Done {
			return out
		}
		must(t, err)
		out = append(out, row)
	}
}

func finish(t *testing.T, job *bigquery.Job, err error) *bigquery.JobStatus {
	t.Helper()
	must(t, err)
	status, err := job.Wait(ctx)
	must(t, err)
	return status
}

func load(t *testing.T, to *bigquery.Table, lines string, change func(*bigquery.Loader)) (*bigquery.Job, error) {
	t.Helper()
	source := bigquery.NewReaderSource(bytes.NewBufferString(lines))
	source.SourceFormat = bigquery.JSON
	loader := to.LoaderFrom(source)
	if change != nil {
		change(loader)
	}
	return loader.Run(ctx)
}

func TestDatasets(t *testing.T) {
	made := client.Dataset("golang_made")
	must(t, made.Create(ctx, &bigquery.DatasetMetadata{Location: "EU", Description: "words",
		Labels: map[string]string{"team": "core"}, DefaultTableExpiration: 3600e9}))
	found, err := made.Metadata(ctx)
	must(t, err)
	same(t, "EU words core 1h0m0s", fmt.Sprint(found.Location, " ", found.Description, " ", found.Labels["team"], " ",
		found.DefaultTableExpiration))
	same(t, 4, len(found.Access))
	refused(t, made.Create(ctx, nil), 409, "duplicate")
	changes := bigquery.DatasetMetadataToUpdate{Description: "more"}
	changes.DeleteLabel("team")
	changed, err := made.Update(ctx, changes, found.ETag)
	must(t, err)
	same(t, "more 0", fmt.Sprint(changed.Description, " ", len(changed.Labels)))
	_, err = made.Update(ctx, changes, found.ETag)
	refused(t, err, 412, "conditionNotMet")
	must(t, made.Table("t").Create(ctx, &bigquery.TableMetadata{Schema: schema}))
	refused(t, made.Delete(ctx), 400, "resourceInUse")
	must(t, made.DeleteWithContents(ctx))
	_, err = made.Metadata(ctx)
	refused(t, err, 404, "notFound")
}

func TestTables(t *testing.T) {
	made := table(t, &bigquery.TableMetadata{Schema: schema, Description: "words", Labels: map[string]string{"a": "b"},
		TimePartitioning: &bigquery.TimePartitioning{Type: bigquery.MonthPartitioningType, Field: "born"},
		Clustering:       &bigquery.Clustering{Fields: []string{"id", "name"}},
		TableConstraints: &bigquery.TableConstraints{PrimaryKey: &bigquery.PrimaryKey{Columns: []string{"id"}}}})
	found, err := made.Metadata(ctx)
	must(t, err)
	same(t, "MONTH born [id name] map[a:b] words 0 [id]", fmt.Sprint(found.TimePartitioning.Type, " ",
		found.TimePartitioning.Field, " ", found.Clustering.Fields, " ", found.Labels, " ", found.Description, " ",
		found.NumRows, " ", found.TableConstraints.PrimaryKey.Columns))
	same(t, true, found.Schema[0].Required)
	refused(t, made.Create(ctx, &bigquery.TableMetadata{Schema: schema}), 409, "duplicate")
	refused(t, ds.Table("bad").Create(ctx, &bigquery.TableMetadata{Schema: schema,
		TimePartitioning: &bigquery.TimePartitioning{Type: "BOGUS"}}), 400, "invalid")
	view := ds.Table("view")
	refused(t, view.Create(ctx, &bigquery.TableMetadata{MaterializedView: &bigquery.MaterializedViewDefinition{
		Query: "select 1"}}), 501, "notImplemented")
	must(t, view.Create(ctx, &bigquery.TableMetadata{ViewQuery: "select 1 as id"}))
	seen, err := view.Metadata(ctx)
	must(t, err)
	same(t, "VIEW select 1 as id id", fmt.Sprint(seen.Type, " ", seen.ViewQuery, " ", seen.Schema[0].Name))
	must(t, view.Delete(ctx))
	names, pages := 0, ds.Tables(ctx)
	for _, err = pages.Next(); err == nil; _, err = pages.Next() {
		names++
	}
	same(t, iterator.Done, err)
	same(t, true, names > 0)
	must(t, made.Delete(ctx))
	refused(t, made.Delete(ctx), 404, "notFound")
}

func TestPatchWithEtag(t *testing.T) {
	made := table(t, nil)
	old, err := made.Metadata(ctx)
	must(t, err)
	wider := append(append(bigquery.Schema{}, schema...), &bigquery.FieldSchema{Name: "score", Type: "FLOAT"})
	changed, err := made.Update(ctx, bigquery.TableMetadataToUpdate{Schema: wider}, old.ETag)
	must(t, err)
	same(t, 5, len(changed.Schema))
	_, err = made.Update(ctx, bigquery.TableMetadataToUpdate{Description: "lost"}, old.ETag)
	refused(t, err, 412, "conditionNotMet")
	_, err = made.Update(ctx, bigquery.TableMetadataToUpdate{Schema: schema[:2]}, changed.ETag)
	refused(t, err, 400, "invalid")
}

func TestLoads(t *testing.T) {
	made := table(t, nil)
	job, err := load(t, made, `{"id": 1, "name": "eins", "born": "2024-02-29", "paid": "1.5"}`+"\n"+`{"id": 2}`, nil)
	status := finish(t, job, err)
	must(t, status.Err())
	same(t, int64(2), status.Statistics.Details.(*bigquery.LoadStatistics).OutputRows)
	same(t, [][]bigquery.Value{
		{int64(1), "eins", civil.Date{Year: 2024, Month: 2, Day: 29}, big.NewRat(3, 2)}, {int64(2), nil, nil, nil},
	}, rows(t, "select * from golang.TestLoads order by id"))
	// More than 16 MB go by a resumable upload in chunks.
	var lines strings.Builder
	for i := 0; i < 40000; i++ {
		fmt.Fprintf(&lines, "{\"id\": %d, \"name\": \"%s\"}\n", i, strings.Repeat("x", 500))
	}
	job, err = load(t, made, lines.String(), func(to *bigquery.Loader) { to.WriteDisposition = bigquery.WriteTruncate })
	must(t, finish(t, job, err).Err())
	same(t, [][]bigquery.Value{{int64(40000)}}, rows(t, "select count(*) from golang.TestLoads"))
	job, err = load(t, made, `{"id": "x"}`, nil)
	status = finish(t, job, err)
	same(t, "invalid", status.Errors[0].Reason)
	job, err = load(t, made, `{"id": 1}`, func(to *bigquery.Loader) { to.WriteDisposition = bigquery.WriteEmpty })
	same(t, "duplicate", finish(t, job, err).Errors[0].Reason)
}

func TestParameters(t *testing.T) {
	values := []bigquery.Value{int64(-9007199254740993), 0.1, false, "it's größe \\ \n", []byte{0, 255},
		civil.Date{Year: 1, Month: 1, Day: 1}, civil.Time{Hour: 23, Minute: 59, Second: 59, Nanosecond: 999999000},
		civil.DateTime{Date: civil.Date{Year: 9999, Month: 12, Day: 31}, Time: civil.Time{Hour: 1}},
		big.NewRat(-1000000001, 1000000000), time.Date(1969, 12, 31, 23, 59, 59, 999999000, time.UTC)}
	for _, value := range values {
		same(t, [][]bigquery.Value{{value}}, rows(t, "select @v", bigquery.QueryParameter{Name: "v", Value: value}))
	}
	same(t, [][]bigquery.Value{{nil}}, rows(t, "select @v",
		bigquery.QueryParameter{Name: "v", Value: bigquery.NullInt64{}}))
	same(t, [][]bigquery.Value{{int64(42)}}, rows(t, "select ? + ?", bigquery.QueryParameter{Value: 40},
		bigquery.QueryParameter{Value: 2}))
	same(t, [][]bigquery.Value{{int64(1)}, {int64(3)}}, rows(t, "select v from unnest(@vs) as v order by v",
		bigquery.QueryParameter{Name: "vs", Value: []int64{3, 1}}))
}

func TestJobsAndPages(t *testing.T) {
	table(t, nil)
	rows(t, "insert into golang.TestJobsAndPages (id) values (1), (2), (3), (4), (5)")
	query := client.Query("select id from golang.TestJobsAndPages where id <> @none order by id")
	query.Parameters = []bigquery.QueryParameter{{Name: "none", Value: 9}}
	query.JobID = "golang_job"
	job, err := query.Run(ctx)
	must(t, err)
	found, err := job.Read(ctx)
	must(t, err)
	found.PageInfo().MaxSize = 2
	same(t, 5, len(all(t, found)))
	_, err = query.Run(ctx)
	refused(t, err, 409, "duplicate")
	again, err := client.JobFromID(ctx, "golang_job")
	must(t, err)
	config, err := again.Config()
	must(t, err)
	same(t, query.Q, config.(*bigquery.QueryConfig).Q)
	same(t, 1, len(config.(*bigquery.QueryConfig).Parameters))
	_, err = client.JobFromID(ctx, "nosuch")
	refused(t, err, 404, "notFound")
	read := ds.Table("TestJobsAndPages").Read(ctx)
	read.PageInfo().MaxSize = 2
	same(t, 5, len(all(t, read)))
}

func TestDML(t *testing.T) {
	table(t, nil)
	job, err := client.Query("insert into golang.TestDML (id) values (1), (2), (3)").Run(ctx)
	must(t, finish(t, job, err).Err())
	job, err = client.Query(`merge into golang.TestDML as t using (select 2 as id union all select 4) as s on t.id = s.id
		when matched then delete when not matched then insert (id) values (s.id)`).Run(ctx)
	details := finish(t, job, err).Statistics.Details.(*bigquery.QueryStatistics)
	same(t, "2 1 1 0 MERGE", fmt.Sprint(details.NumDMLAffectedRows, " ", details.DMLStats.InsertedRowCount, " ",
		details.DMLStats.DeletedRowCount, " ", details.DMLStats.UpdatedRowCount, " ", details.StatementType))
	same(t, "TestDML", details.ReferencedTables[0].TableID)
	job, err = client.Query("select 1; select 2").Run(ctx)
	must(t, finish(t, job, err).Err())
	child, err := job.Children(ctx).Next()
	must(t, err)
	same(t, "STATEMENT", child.LastStatus().Statistics.ScriptStatistics.EvaluationKind)
	same(t, "select 2", child.LastStatus().Statistics.ScriptStatistics.StackFrames[0].Text)
}

func TestCopies(t *testing.T) {
	source := table(t, nil)
	rows(t, "insert into golang.TestCopies (id) values (1), (2)")
	target := ds.Table("copied")
	job, err := target.CopierFrom(source).Run(ctx)
	must(t, finish(t, job, err).Err())
	job, err = target.CopierFrom(source).Run(ctx)
	same(t, "duplicate", finish(t, job, err).Errors[0].Reason)
	twice := target.CopierFrom(source, source)
	twice.WriteDisposition = bigquery.WriteTruncate
	job, err = twice.Run(ctx)
	must(t, finish(t, job, err).Err())
	found, err := target.Metadata(ctx)
	must(t, err)
	same(t, uint64(4), found.NumRows)
	clone := ds.Table("cloned").CopierFrom(source)
	clone.OperationType = bigquery.CloneOperation
	_, err = clone.Run(ctx)
	refused(t, err, 501, "notImplemented")
}

func TestErrors(t *testing.T) {
	for sql, want := range map[string]struct {
		code   int
		reason string
	}{
		"select from where":                     {400, "invalidQuery"},
		"select nosuch from (select 1 as a)":    {400, "invalidQuery"},
		"select * from golang.nosuch":           {404, "notFound"},
		"select * from elsewhere.golang.tables": {403, "accessDenied"},
	} {
		_, err := client.Query(sql).Read(ctx)
		refused(t, err, want.code, want.reason)
	}
	query := client.Query("select 1")
	query.CreateSession = true
	_, err := query.Run(ctx)
	refused(t, err, 501, "notImplemented")
	job, err := func() (*bigquery.Job, error) {
		dry := client.Query("select 1 as one")
		dry.DryRun = true
		return dry.Run(ctx)
	}()
	must(t, err)
	same(t, "one", job.LastStatus().Statistics.Details.(*bigquery.QueryStatistics).Schema[0].Name)
}

func TestRetries(t *testing.T) {
	made := table(t, nil)
	defer faults(t, "")
	for _, rule := range []string{`"action": "status", "status": 503`, `"action": "quota", "reason": "rateLimitExceeded"`,
		`"action": "reset_before"`} {
		faults(t, `{"method": "GET", "path": "/tables/", `+rule+`}`)
		_, err := made.Metadata(ctx)
		must(t, err)
	}
	faults(t, `{"path": "upload_id=", "action": "status", "status": 503}`)
	job, err := load(t, made, strings.Repeat(`{"id": 1, "name": "`+strings.Repeat("x", 1000)+"\"}\n", 18000), nil)
	must(t, finish(t, job, err).Err())
}
