package bulk

import (
	"bytes"
	"fmt"
	"sync"
	"time"
)

// unread remembers what clients have not fetched of the jobs that began in this
// process: pages of the manifest, and files that are easily forgotten, those of
// errors and of deletions. It is safe for concurrent use.
type unread struct {
	mu   sync.Mutex
	jobs map[string]*unreadJob
}

type unreadJob struct {
	expires time.Time
	page    int             // the last one of the manifest that was shown
	files   map[string]owed // by number and name
	// promised are files that the job does not have and a manifest names all the
	// same, by number and name.
	promised map[string][]byte
}

type owed struct {
	kind Kind
	rows int64
}

func newUnread() *unread { return &unread{jobs: map[string]*unreadJob{}} }

// begin remembers a job that begins, and forgets those that have expired.
func (u *unread) begin(job *Job, files []File) {
	j := &unreadJob{expires: job.ExpiresAt, files: map[string]owed{}, promised: map[string][]byte{}}
	for _, f := range files {
		if f.Kind != Output {
			j.files[key(f.Number, job.Name(&f))] = owed{f.Kind, f.Rows}
		}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	for id, other := range u.jobs {
		if other.expires.Before(job.CreatedAt) {
			delete(u.jobs, id)
		}
	}
	u.jobs[job.ID] = j
}

// forget forgets a job.
func (u *unread) forget(id string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.jobs, id)
}

func key(number int, name string) string { return fmt.Sprint(number, "/", name) }

// change does something to what is remembered of a job, if anything is.
func (u *unread) change(id string, change func(*unreadJob)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if j := u.jobs[id]; j != nil {
		change(j)
	}
}

// Fetched notes that the client fetches a file of a job, by its number and name
// in the URL.
func (s *Service) Fetched(job *Job, number int, name string) {
	s.unread.change(job.ID, func(j *unreadJob) { delete(j.files, key(number, name)) })
}

// Promise notes that a manifest names another file, of this kind and with these
// lines, than those that the job has.
func (s *Service) Promise(job *Job, kind Kind, number int, name string, lines []byte) {
	s.unread.change(job.ID, func(j *unreadJob) {
		if j.promised[key(number, name)] == nil { // else it may have been fetched
			j.files[key(number, name)] = owed{kind, int64(bytes.Count(lines, []byte{'\n'}))}
		}
		j.promised[key(number, name)] = lines
	})
}

// Promised returns the lines of a file that a manifest has named, see Promise; nil of
// any other.
func (s *Service) Promised(job *Job, number int, name string) (lines []byte) {
	s.unread.change(job.ID, func(j *unreadJob) { lines = j.promised[key(number, name)] })
	return lines
}

// Unread tells of what a client that is done with a job has not read of it; of a
// job that still runs, and of one that began in an earlier process, of nothing.
func (s *Service) Unread(job *Job) (list []Notice) {
	if !s.Progress(job).Done {
		return nil
	}
	s.unread.change(job.ID, func(j *unreadJob) {
		if pages := job.Pages(); j.page > 0 && j.page < pages {
			list = append(list, Notice{"M19", fmt.Sprintf("page %d of the manifest", j.page), fmt.Sprintf("%d pages", pages),
				fmt.Sprintf("The manifest of the job %s has %d pages, and the client asked for no page after number %d: the files on the others were never seen.", job.ID, pages, j.page),
				"Follow the link with relation next of each page of a manifest until there is none, or ask without allowPartialManifests."})
		}
		for _, kind := range []Kind{Errors, Deleted} {
			if n, ok := j.notice(job, kind); ok {
				list = append(list, n)
			}
		}
	})
	return list
}

// notice tells of the files of a kind that were not fetched.
func (j *unreadJob) notice(job *Job, kind Kind) (n Notice, found bool) {
	files, rows, one := 0, int64(0), ""
	for name, f := range j.files {
		if f.kind != kind {
			continue
		}
		files++
		rows += f.rows
		if one == "" || name < one {
			one = name
		}
	}
	if files == 0 {
		return n, false
	}
	where := "The file " + one + " of the job " + job.ID
	if files > 1 {
		where = fmt.Sprintf("%d files of the job %s, %s among them,", files, job.ID, one)
	}
	if kind == Errors {
		return Notice{"M02", "the output alone", "the error files too",
			fmt.Sprintf("%s, with %d OperationOutcomes, was never fetched: what they say is missing may be taken for complete.", where, rows),
			"Fetch every file that the manifest lists under error, and read the severity of each issue: information is no failure."}, true
	}
	return Notice{"M16", "the output alone", "the deleted files too",
		fmt.Sprintf("%s, with %d Bundles of deletions, was never fetched: what was deleted here stays where the data go.", where, rows),
		"Fetch every file that the manifest lists under deleted, and delete what its Bundles name."}, true
}
