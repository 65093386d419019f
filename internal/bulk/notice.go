package bulk

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sandfhir/sandfhir/fhirstore"
)

// A Notice tells of a request that was met what about it may be a mistake.
type Notice struct {
	ID                   string // of the known mistake
	Got, Want, Text, Fix string
}

// manyJobs is how many finished jobs a client has when it seems never to delete
// any.
const manyJobs = 5

// notices looks at a kick-off beside what its client did before.
func (s *Service) notices(ctx context.Context, v fhirstore.View, p *parser, jobs []*Job) ([]Notice, error) {
	var list []Notice
	done := 0
	for _, job := range jobs {
		if job.Answer == nil && s.Progress(job).Done {
			done++
		}
	}
	if done >= manyJobs {
		list = append(list, Notice{"M23", fmt.Sprint(done, " finished jobs"), "none that is not needed any more",
			fmt.Sprintf("%d finished exports of this client were not deleted. Servers that keep files on disks run full, or answer 429.", done),
			"Send DELETE to a job's status URL once its files have been downloaded."})
	}
	if p.sel.Since.IsZero() {
		return list, nil
	}
	for _, job := range jobs { // the client goes on from it
		if job.TransactionTime.Equal(p.sel.Since) && job.Answer == nil {
			list = append(list, s.Unread(job)...)
		}
	}
	gap, err := s.gap(ctx, v, p)
	if gap != nil {
		list = append(list, *gap)
	}
	return list, err
}

// gap tells of a _since that is the transactionTime of none of the client's
// exports, or returns nil.
func (s *Service) gap(ctx context.Context, v fhirstore.View, p *parser) (*Notice, error) {
	times, err := s.cfg.Jobs.TransactionTimes(ctx, s.cfg.Env, p.request.Client)
	since := p.sel.Since
	if err != nil || len(times) == 0 || slices.ContainsFunc(times, since.Equal) {
		return nil, err
	}
	last := times[0]
	n := &Notice{"M17", fhirstore.FormatInstant(since), fhirstore.FormatInstant(last),
		fmt.Sprintf("_since is %s, which is the transactionTime of none of this client's exports; the last one's was %s.", fhirstore.FormatInstant(since), fhirstore.FormatInstant(last)),
		"Pass the transactionTime of the last manifest as _since, to the millisecond: it is the server's time, which the client's clock does not know."}
	if !since.After(last) {
		n.Text += " What changed in between is exported again."
		return n, nil
	}
	sel := p.sel
	sel.Since, sel.Until, sel.OrganizeBy, sel.Associated = last, since.Add(time.Millisecond), "", ""
	sel.OnlyChanges = true // who joined a Group in the gap is exported now
	missed, err := s.cfg.Data.Export(ctx, v, sel)
	if err != nil { // the export itself tells of it
		return n, nil
	}
	rows := int64(0)
	for _, f := range missed.Output {
		rows += f.Rows
	}
	n.Text += fmt.Sprintf(" %d resources changed in the gap, and are in no export.", rows)
	return n, nil
}
