package scroll_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"mithaq.dev/mithaq/internal/platform"
	"mithaq.dev/mithaq/internal/platform/scroll"
)

var start = time.Date(2026, time.November, 20, 0, 0, 0, 0, time.UTC)

// feed is a list of acts, newest first, in pages of size; its tokens are offsets.
type feed struct {
	acts  []platform.Act
	timed bool
}

func (f *feed) add(n int) {
	for range n {
		i := len(f.acts)
		a := platform.Act{ID: fmt.Sprintf("id-%d", i)}
		if f.timed {
			a.At = start.Add(time.Duration(i) * time.Minute)
		}
		f.acts = slices.Insert(f.acts, 0, a)
	}
}

func (f *feed) page(token string, size int) ([]platform.Act, string) {
	at := 0
	if token != "" {
		_, _ = fmt.Sscan(token, &at)
	}
	at = min(at, len(f.acts))
	end := min(at+size, len(f.acts))
	next := ""
	if end < len(f.acts) {
		next = fmt.Sprint(end)
	}
	return slices.Clone(f.acts[at:end]), next
}

// Every act is told, and once where acts have a time, in whatever pieces the feed is
// read and however it grows between them.
func TestEveryActIsToldOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := &feed{timed: rapid.Bool().Draw(t, "timed")}
		f.add(rapid.IntRange(0, 40).Draw(t, "first"))
		var cursor platform.Cursor
		told := map[string]int{}
		read := func(limit, size int) bool {
			place, err := scroll.Parse(cursor)
			if err != nil {
				t.Fatal(err)
			}
			acts, next := f.page(place.Page(), size)
			got := place.Turn(acts, next, time.Time{}, limit)
			if len(got.Acts) > limit {
				t.Fatalf("%d acts, the limit is %d", len(got.Acts), limit)
			}
			for _, a := range got.Acts {
				told[a.ID]++
			}
			if cursor, err = got.Next.Cursor(); err != nil {
				t.Fatal(err)
			}
			return got.More
		}
		size := rapid.IntRange(3, 20).Draw(t, "size")
		for range rapid.IntRange(1, 6).Draw(t, "rounds") {
			read(rapid.IntRange(1, 20).Draw(t, "limit"), size)
			f.add(rapid.IntRange(0, 2).Draw(t, "new"))
		}
		for n := 0; read(20, size); n++ {
			if n > 100 {
				t.Fatal("the reading does not end")
			}
		}
		read(100, 100)
		for _, a := range f.acts {
			if told[a.ID] < 1 || f.timed && told[a.ID] > 1 {
				t.Fatalf("%s was told %d times", a.ID, told[a.ID])
			}
		}
	})
}

func ids(acts []platform.Act) string {
	var out []string
	for _, a := range acts {
		out = append(out, a.ID)
	}
	return strings.Join(out, " ")
}

func TestTurn(t *testing.T) {
	f := &feed{timed: true}
	f.add(6)
	first := scroll.Place{}.Turn(f.acts, "", start.Add(2*time.Minute), 10)
	if got := ids(first.Acts); got != "id-5 id-4 id-3 id-2" || first.More {
		t.Errorf("a first reading told %s, more %v", got, first.More)
	}
	f.acts = f.acts[3:] // the three that are remembered are deleted
	f.acts = append([]platform.Act{{ID: "new", At: start.Add(time.Hour)}}, f.acts...)
	if got := first.Next.Turn(f.acts, "2", start, 10); ids(got.Acts) != "new" || got.More {
		t.Errorf("after deletions it told %s, more %v", ids(got.Acts), got.More)
	}
	if got := first.Next.Turn(nil, "", start, 10); len(got.Acts) != 0 || got.More || got.Next.Fresh() {
		t.Errorf("an empty page: %+v", got)
	}
}

func TestRestartSkipsWhatWasTold(t *testing.T) {
	f := &feed{timed: true}
	f.add(9)
	acts, next := f.page("", 3)
	first := scroll.Place{}.Turn(acts, next, time.Time{}, 10)
	f.add(1) // while the reading is under way
	acts, next = f.page("", 3)
	again := first.Next.Restart().Turn(acts, next, time.Time{}, 10)
	if len(again.Acts) != 0 || !again.More {
		t.Errorf("told %s again", ids(again.Acts))
	}
	acts, next = f.page(again.Next.Page(), 3)
	if got := again.Next.Turn(acts, next, time.Time{}, 10); ids(got.Acts) != "id-5 id-4" {
		t.Errorf("told %s, want id-5 id-4", ids(got.Acts))
	}
}

func TestPageTokenTooLong(t *testing.T) {
	f := &feed{}
	f.add(1)
	got := scroll.Place{}.Turn(f.acts, strings.Repeat("x", 300), time.Time{}, 5)
	if _, err := got.Next.Cursor(); err == nil {
		t.Error("a cursor of more than 256 bytes")
	}
}

func FuzzParse(f *testing.F) {
	f.Add("")
	f.Add("s1|a,b|1|c|2|d|3|e")
	f.Add("s1|||||||")
	f.Add("s1|0|0|0|0|0|0|%zz")
	f.Fuzz(func(t *testing.T, cursor string) {
		p, err := scroll.Parse(platform.Cursor(cursor))
		if err != nil {
			return
		}
		again, err := p.Cursor()
		if err != nil {
			return
		}
		q, err := scroll.Parse(again)
		if err != nil || q.Page() != p.Page() && !p.Fresh() {
			t.Errorf("%q became %q: %v", cursor, again, err)
		}
	})
}
